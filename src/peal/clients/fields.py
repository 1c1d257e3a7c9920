"""What each field of a client means, and whether it acts in this version: ONE table, true."""

from peal.kit.marks import acts, stored

FIELDS = {
    "id": acts("id"),
    "name": stored("the client's name"),
    "type": stored("`J` a company, `F` a person"),
    "prefix": acts("first part of its extensions' names"),
    "domain": acts("SIP domain of its extensions"),
    "domain_prefix": stored("prefix of the domain in absolute names"),
    "extension_len": acts("digits of its extensions' numbers"),
    "create_date": stored("moment it was made, UTC"),
    "email": stored("address for mail"),
    "timezone": stored("time zone"),
    "language": stored("language"),
    "hold_music": stored("sound played to who is on hold, where the phone names none"),
    "dial_rule_id": acts("dial rules of all its calls to the outside, after the extension's own"),
    "international_prefix": acts(
        "what its users dial before a number abroad; a dial rule that refuses is also tried without it"
    ),
    "geo_list": stored("countries from whose addresses its phones may come: ISO 3166 codes with spaces"),
    "record_format": stored("format of records"),
    "record_stereo": stored("whether records keep the two sides apart"),
    "sip_network_permission_id": acts(
        "the networks that its phones may come from, where the phone names none"
    ),
    "reg_status_log": stored("whether registrations are logged"),
    "extra_params": stored("free text of yours"),
}
