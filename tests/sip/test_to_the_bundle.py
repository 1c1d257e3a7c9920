"""Behaviour table, "Calls to the bundle"."""


def test_row_01_all_ring_and_the_others_hear_it_was_answered_elsewhere(office):
    main, one, two, caller = office.phones("100", "101", "102", "200")
    call = caller.invite("100")
    legs = [phone.expect_invite() for phone in (main, one, two)]
    for leg in legs:
        leg.ring()
    legs[1].answer()
    answer = call.final()
    assert answer.status == 200
    assert answer.asserted_identity.user == "100"
    for leg in (legs[0], legs[2]):
        assert "SIP;cause=200" in leg.wait_cancelled().headers.get("Reason")
    assert call.bye().status == 200
    assert caller.leaks("101") == []
