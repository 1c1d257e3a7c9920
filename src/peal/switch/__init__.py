"""The SIP service: Kamailio, told what to do, started and watched."""
