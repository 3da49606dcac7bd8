from nebula.genome.count_notes import count_notes


def test_a_count_of_one_is_told_in_the_singular_and_nothing_of_none() -> None:
    sentence = "place[|s] [was|were] left out, and [its|their] letters with [it|them]"
    assert count_notes([(0, sentence), (1, sentence), (2_504, sentence)]) == (
        "1 place was left out, and its letters with it",
        "2,504 places were left out, and their letters with them",
    )
