from uuid import UUID

from chassis.ids import new_id


def test_ids_are_uuid_version_7_and_sort_in_the_order_they_were_made() -> None:
    made = [new_id() for _ in range(1_000)]
    assert made == sorted(made)
    assert len(set(made)) == 1_000
    assert {(item.version, item.variant) for item in made} == {(7, UUID(int=0x8 << 60).variant)}


def test_ids_are_plain_uuids_as_drivers_and_json_expect() -> None:
    assert type(new_id()) is UUID
