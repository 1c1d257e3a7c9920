"""Bundles as the API shows them."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.errors import bad_field
from peal.http.values import Id


class Bundle(Struct):
    """A main extension and those associated with it."""

    bundle_list: list[int]
    """Ids of the associated extensions, in the order given."""
    bundle_id: int
    """Id of the main extension."""


class BundleList(Struct):
    """The extensions to associate, under either of the two names that clients use."""

    bundle_list: (
        Annotated[list[Id], Meta(description="Ids of the associated extensions", examples=[[32486, 32767]])]
        | UnsetType
    ) = UNSET
    extension_id: (
        Annotated[list[Id], Meta(description="Another name of `bundle_list`", examples=[[32486, 32767]])]
        | UnsetType
    ) = UNSET

    def ids(self) -> list[int]:
        """Return the list; the two names must not contradict each other."""
        if isinstance(self.bundle_list, UnsetType):
            if isinstance(self.extension_id, UnsetType):
                raise bad_field("bundle_list", "is required")
            return self.extension_id
        if not isinstance(self.extension_id, UnsetType) and self.extension_id != self.bundle_list:
            raise bad_field("extension_id", "differs from bundle_list, of which it is another name")
        return self.bundle_list
