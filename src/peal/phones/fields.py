"""What each field of a phone means, and whether it acts in this version: ONE table, true."""

from peal.kit.marks import acts, stored

FIELDS = {
    "label": acts("display name on the called terminal; none: the extension's label"),
    "password": acts("SIP password, 8 characters or more; `generate` makes one; shown by that PUT only"),
    "auth_type": acts("what a phone must show: password (`digest`), address (`network`) or `both`"),
    "sip_network_permission_id": acts("the networks that the phone may come from; none: its client's"),
    "allow_webrtc": stored("whether the phone may register over WebSocket"),
    "call_screening_enabled": stored("whether the callee hears who calls and accepts with 1"),
    "append_to_cid_name_on_transfer": stored("text added to the caller's name on transfer"),
    "announce_sound_upon_outgoing_call": stored("sound played on an outgoing call"),
    "announce_sound_upon_incoming_call": stored("sound played when an incoming call is answered"),
    "conference_announce_caller_name": stored("whether a conference hears who enters"),
    "conference_end_on_exit": stored("whether the conference ends when this phone leaves"),
    "conference_pin": stored("digits that a conference asks for"),
    "geo_list": stored("countries from whose addresses the phone may come: ISO 3166 codes with spaces"),
    "hold_music": stored("sound played to who is on hold"),
    "ringback_sound": stored("sound instead of ringback"),
    "incoming_limit": acts("incoming calls at a time of the whole bundle; null or 0: no limit"),
    "record_enabled": stored("whether calls are recorded"),
    "record_transfer": stored("whether calls are recorded on after a transfer"),
    "record_format": stored("format of records"),
    "record_stereo": stored("whether records keep the two sides apart"),
    "call_status_id": stored("call status: which calls the phone takes part in"),
    "bundle_id": acts("id of the main extension of its bundle, or null; read-only"),
    "bundle_list": acts("ids of the extensions associated in its bundle; read-only"),
}
