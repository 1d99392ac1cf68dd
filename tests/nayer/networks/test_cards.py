"""The cards of the shipped teachers."""

from nayer.networks.cards import SHIPPED, teacher_cards


def test_a_shipped_teacher_has_the_name_of_its_folder() -> None:
    """Its card is listed by name, and loaded from the folder of that name."""
    folders = {path.parent.name for path in SHIPPED.glob("*/config.json")}
    assert {card.name for card in teacher_cards()} == folders
