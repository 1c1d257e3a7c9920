"""Phones as the API shows and takes them; what fields mean, and whether they act: `fields`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from peal.http.values import Count, Id, Line

AuthType = Literal["digest", "network", "both"]
RecordFormat = Literal["mp3", "wav"]
Countries = Annotated[str, Meta(max_length=1000, pattern=r"^[A-Z]{2}( [A-Z]{2})*(?!\n)$")]
Pin = Annotated[str, Meta(max_length=32, pattern=r"^[0-9]+(?!\n)$")]
Password = Annotated[str, Meta(min_length=8, max_length=128, pattern=r"^[\x20-\x7e]*(?!\n)$")]


class Phone(Struct):
    """PhoneProperties of an extension of type `phone`."""

    label: str | None
    password: str | None
    auth_type: AuthType
    sip_network_permission_id: int | None
    allow_webrtc: bool
    call_screening_enabled: bool
    append_to_cid_name_on_transfer: str | None
    announce_sound_upon_outgoing_call: int | None
    announce_sound_upon_incoming_call: int | None
    conference_announce_caller_name: bool
    conference_end_on_exit: bool
    conference_pin: str | None
    geo_list: str | None
    hold_music: int | None
    ringback_sound: int | None
    incoming_limit: int | None
    record_enabled: bool
    record_transfer: bool
    record_format: RecordFormat
    record_stereo: bool
    call_status_id: int | None
    bundle_id: int | None
    bundle_list: list[int]


class PhoneChange(Struct):
    """Fields of a phone that a PUT may carry."""

    label: Line | None | UnsetType = UNSET
    password: Password | UnsetType = UNSET
    auth_type: AuthType | UnsetType = UNSET
    sip_network_permission_id: Id | None | UnsetType = UNSET
    allow_webrtc: bool | UnsetType = UNSET
    call_screening_enabled: bool | UnsetType = UNSET
    append_to_cid_name_on_transfer: Line | None | UnsetType = UNSET
    announce_sound_upon_outgoing_call: Id | None | UnsetType = UNSET
    announce_sound_upon_incoming_call: Id | None | UnsetType = UNSET
    conference_announce_caller_name: bool | UnsetType = UNSET
    conference_end_on_exit: bool | UnsetType = UNSET
    conference_pin: Pin | None | UnsetType = UNSET
    geo_list: Countries | None | UnsetType = UNSET
    hold_music: Id | None | UnsetType = UNSET
    ringback_sound: Id | None | UnsetType = UNSET
    incoming_limit: Count | None | UnsetType = UNSET
    record_enabled: bool | UnsetType = UNSET
    record_transfer: bool | UnsetType = UNSET
    record_format: RecordFormat | UnsetType = UNSET
    record_stereo: bool | UnsetType = UNSET
    call_status_id: Id | None | UnsetType = UNSET
