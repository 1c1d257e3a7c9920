"""What can be done with bundles. The caller has opened the transaction and locked the client."""

from collections.abc import Sequence

from peal.bundles import model, repository
from peal.bundles.fields import DEFAULTS
from peal.db.work import Work
from peal.errors import PreconditionFailed, extension_not_found
from peal.extensions.tables import extension


async def associate(
    work: Work,
    main_id: int,
    listed: Sequence[int],
    *,
    limit: int,
    is_admin: bool,
    if_match: str | None = None,
) -> tuple[int, ...]:
    """Set the extensions associated with `main_id`; return them, in their order."""
    found = await repository.members(work, [main_id, *listed])
    main = found[main_id]
    before = await repository.associated(work, main_id)
    check_version(if_match, main.bundle_id, before)
    model.check_known(listed, main.client_id, found, is_admin=is_admin)
    mains = await repository.with_associated(work, listed)
    model.check_rules(main, listed, found, mains, limit)
    await _apply(work, main, model.Change(before, tuple(listed)))
    return tuple(listed)


async def untie(work: Work, main_id: int, if_match: str | None = None) -> None:
    """Untie all associated extensions from `main_id`.

    Raises:
        NotFound: `main_id` is not the main extension of a bundle.
    """
    before = await repository.associated(work, main_id)
    if not before:
        raise extension_not_found()
    check_version(if_match, main_id, before)
    main = (await repository.members(work, [main_id]))[main_id]
    await _apply(work, main, model.Change(before, ()))


async def detach(work: Work, extension_id: int) -> None:
    """Take an extension that is to be deleted out of its bundle; a main one dissolves it."""
    member = (await repository.members(work, [extension_id]))[extension_id]
    main = (await repository.members(work, [member.bundle_id]))[member.bundle_id]
    before = await repository.associated(work, main.id)
    left = tuple(i for i in before if i != extension_id) if member.is_associated else ()
    await _apply(work, main, model.Change(before, left))


def check_version(if_match: str | None, main_id: int, associated: Sequence[int]) -> None:
    """Compare an `If-Match` header with the bundle as it is.

    Raises:
        PreconditionFailed: it names another version.
    """
    tags = [tag.strip().removeprefix("W/") for tag in (if_match or "*").split(",")]
    if "*" not in tags and model.etag(main_id, associated) not in tags:
        raise PreconditionFailed()


async def _apply(work: Work, main: model.Member, change: model.Change) -> None:
    if change.before == change.after:
        return
    overwritten = {i: await repository.shared(work, i) for i in change.added}
    await repository.release(work, main.id, change.removed)
    await repository.associate(work, main.id, change.after, change.added)
    await work.audit(
        "bundle:set",
        main.client_id,
        main.id,
        {"bundle_list": change.before},
        {"bundle_list": change.after},
    )
    shared = await repository.shared(work, main.id)
    for extension_id, old in overwritten.items():
        changed = [name for name in DEFAULTS if old[name] != shared[name]]
        if changed:
            await work.audit(
                "extension:synchronise",
                main.client_id,
                extension_id,
                {name: old[name] for name in changed},
                {name: shared[name] for name in changed},
            )
    await repository.log_routing(work, extension.c.id.in_([main.id, *change.touched]))
