"""The rules of a bundle, pure: contract, "Constraints", rules 1 to 6."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from peal.errors import BadRequest, FieldError, NotFound, extension_not_found


@dataclass(frozen=True)
class Member:
    """An extension as the rules see it; `bundle_id` is its own id where it is main or alone."""

    id: int
    client_id: int
    type: str
    bundle_id: int

    @property
    def is_associated(self) -> bool:
        """Whether another extension is its main one."""
        return self.bundle_id != self.id


@dataclass(frozen=True)
class Change:
    """What turns the associated extensions `before` into `after`."""

    before: tuple[int, ...]
    after: tuple[int, ...]

    @property
    def added(self) -> list[int]:
        """Those that come."""
        return [i for i in self.after if i not in self.before]

    @property
    def removed(self) -> list[int]:
        """Those that go."""
        return [i for i in self.before if i not in self.after]

    @property
    def touched(self) -> list[int]:
        """Those whose routing may change."""
        return [*self.before, *self.added]


def etag(main_id: int, associated: Sequence[int]) -> str:
    """Return the version of a bundle, over the main extension and the list."""
    text = f"{main_id}:{','.join(map(str, associated))}"
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def check_known(
    listed: Sequence[int], client_id: int, found: Mapping[int, Member], *, is_admin: bool
) -> None:
    """Rule 5: every listed id exists and belongs to the client."""
    foreign = [i for i in listed if i in found and found[i].client_id != client_id]
    if unknown := [i for i in listed if i not in found or (i in foreign and not is_admin)]:
        raise _unknown(unknown)
    if foreign:
        raise _broken("foreign_extension", f"extensions of another client: {_ids(foreign)}")


def check_rules(
    main: Member, listed: Sequence[int], found: Mapping[int, Member], mains: set[int], limit: int
) -> None:
    """Rules 1 to 4; `mains` holds those of `listed` that others are associated with."""
    if len(listed) > limit:
        raise _broken("too_many_extensions", f"{len(listed)} extensions, at most {limit} can be associated")
    if main.id in listed:
        raise _broken("extension_is_main", f"an extension can't be associated with itself: {main.id}")
    if twice := sorted({i for i in listed if listed.count(i) > 1}):
        raise _broken("extension_listed_twice", f"listed twice: {_ids(twice)}")
    if wrong := [m.id for m in (main, *(found[i] for i in listed)) if m.type != "phone"]:
        raise _broken("wrong_type", f"not of type phone: {_ids(wrong)}")
    if main.is_associated:
        raise _broken("extension_is_associated", f"{main.id} is itself associated with {main.bundle_id}")
    if taken := [i for i in listed if i in mains]:
        raise _broken("extension_is_main", f"main extensions of other bundles: {_ids(taken)}")
    if taken := [i for i in listed if found[i].is_associated and found[i].bundle_id != main.id]:
        raise _broken("extension_is_associated", f"associated with other extensions: {_ids(taken)}")


def _unknown(ids: Sequence[int]) -> NotFound:
    return extension_not_found(f"Record not found: {_ids(ids)}")


def _broken(word: str, reason: str) -> BadRequest:
    return BadRequest(f"bundle_list: {reason}", status=word, errors=[FieldError("bundle_list", reason)])


def _ids(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))
