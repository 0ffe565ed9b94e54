"""A seeded world of invented markets: people, places and products that do not exist.

`birth(seed, index, now)` is a pure function, so a market that ends can be replaced by the next one and
a saved world goes on as if it had never stopped. Most markets have normal books; some are too wide and
some end too soon, because a client has to find that out.
"""

from dataclasses import dataclass, replace
from typing import Final

from polyb0t.sandbox.contracts import BRIDGED_USDC, ORACLE
from polyb0t.sandbox.crowd import DAY_MS, SHARE, Opinion, opinion_of
from polyb0t.sandbox.ctf_ids import condition_id, token_ids
from polyb0t.sandbox.randomness import Random64
from polyb0t.sandbox.settlement import hex_of
from polyb0t.sandbox.types import MILLION, MarketSpec

PLACES: Final = (
    "Velmora", "Ostrallen Bay", "Karrendal", "Tirassa", "Norvale", "Lumbria", "Quessex", "Abendria",
    "Portmarrow", "Zelenqa", "Hollowmere", "Issandra", "Brackwater", "Corvantis", "Drovia", "Eastmarch",
)  # fmt: skip
SURNAMES: Final = (
    "Marlowind", "Teskari", "Obrandt", "Quillfeather", "Vantrosse", "Ishkandar", "Dellaroux", "Pemberwick",
    "Zorvath", "Halloran-Vey", "Ketterlin", "Wyndholm", "Brasketh", "Ondurrel", "Saltmarsh", "Farrowgate",
)  # fmt: skip
TEAMS: Final = (
    "Harriers", "Lanternmen", "Stormcrows", "Tidecallers", "Ironbacks", "Foxgloves", "Cartographers",
    "Nightjars", "Millwrights", "Pathfinders",
)  # fmt: skip
THINGS: Final = (
    "Lumen 4", "the Orbella headset", "Quasar OS", "the Tessera chip", "Nimbus Drive", "the Calyx rover",
    "Parallax 2", "the Meridian phone",
)  # fmt: skip
WORKS: Final = (
    "The Glass Orchard", "Seven Lanterns", "A Winter in Tirassa", "Saltwind", "The Cartographer's Son",
    "Nocturne for Two Moons", "Paper Harbour",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kind:
    """A category: its fee rate (as the venue sets for new markets) and its questions."""

    category: str
    fee_rate: str
    questions: tuple[str, ...]


KINDS: Final = (
    Kind("Politics", "0.04", (
        "Will {surname} win the {place} governor's election?",
        "Will {surname} be the next prime minister of {place}?",
        "Will the {place} assembly pass the {thing2} act before it closes?",
        "Will {surname} leave the cabinet of {place}?",
        "Will {place} hold an early election?",
        "Will {surname} lead the {place} party into the election?",
        "Will {place} and {place2} agree on the {thing2} border?",
        "Will the {place} council approve the tram line?",
        "Will {surname} survive the vote of confidence in {place}?",
        "Will {place} ban the {thing2} trade this year?",
    )),
    Kind("Sports", "0.05", (
        "Will the {place} {team} win the {place2} Cup?",
        "Will the {place} {team} finish in the top four?",
        "Will {surname} take the {place} marathon?",
        "Will the {place} {team} beat the {place2} {team2}?",
    )),
    Kind("Economics", "0.05", (
        "Will inflation in {place} be above {number}.{digit}%?",
        "Will the Bank of {place} cut its rate by {rate} basis points?",
        "Will unemployment in {place} fall below {number}.{digit}%?",
        "Will the {place} index close the month higher?",
    )),
    Kind("Weather", "0.05", (
        "Will {place} record more than {millimetres} mm of rain this season?",
        "Will it snow in {place} before the end?",
        "Will {place} have a day above {degrees} degrees?",
    )),
    Kind("Culture", "0.05", (
        'Will "{work}" win best picture at the {place} festival?',
        'Will "{work}" open above {millimetres} million?',
        "Will {surname} win the {place} song contest?",
    )),
    Kind("Tech", "0.04", (
        "Will {thing} ship by the announced date?",
        "Will {thing} pass {number} million users?",
        "Will {surname} step down as head of {place} Robotics?",
    )),
    Kind("Finance", "0.04", (
        "Will {place} Rail close above {millimetres} crowns?",
        "Will {place} Shipping and {place2} Lines announce a merger?",
    )),
    Kind("World", "0", (
        "Will {place} and {place2} sign the {thing2} treaty?",
        "Will the {place} summit end with a declaration?",
    )),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Newborn:
    """A market and what the crowd thinks of it at first."""

    spec: MarketSpec
    opinion: Opinion


def birth(seed: int, index: int, now_ms: int) -> Newborn:
    """Market number `index` of the world of this seed, opened at `now_ms`."""
    random = Random64(int(hex_of("polyb0t market", seed, index)[:16], 16))
    kind = _kind(index)
    question = _question(kind, random)
    volume = random.between(20_000, 2_000_000) * SHARE
    asked = "0x" + hex_of(seed, index, "question")
    condition = condition_id(ORACLE, asked)
    slug = f"{_slug(question)}-{index}"
    spec = MarketSpec(
        gamma_id=str(700_000 + index),
        condition_id=condition,
        question_id=asked,
        slug=slug,
        question=question,
        description=(
            f"This practice market pays one pUSD for each Yes share if the answer is yes: {question} "
            "Everything in it is invented."
        ),
        category=kind.category,
        tags=(kind.category,),
        event_id=str(40_000 + index),
        event_slug=slug,
        event_title=question,
        outcomes=("Yes", "No"),
        token_ids=token_ids(BRIDGED_USDC, condition),
        start_ms=now_ms - random.between(2, 60) * DAY_MS,
        end_ms=_whole_hour(now_ms + _life_ms(random)),
        fee_rate=kind.fee_rate,
        fees_enabled=kind.fee_rate != "0",
        fee_type=f"{kind.category.lower()}_fees" if kind.fee_rate != "0" else "",
        volume_e6=volume,
        volume_24h_e6=volume // 50,
        seconds_delay=3 if kind.category == "Sports" and random.below(5) == 0 else 0,
    )
    opinion = _first_opinion(spec, random, now_ms)
    return Newborn(replace(spec, first_price_e6=round(opinion.price(opinion.fair_e6) * MILLION)), opinion)


def _kind(index: int) -> Kind:
    """Every other market is political: there the crowd is furthest off, so there is something to find."""
    return KINDS[0] if index % 2 == 0 else KINDS[1 + index // 2 % (len(KINDS) - 1)]


def _life_ms(random: Random64) -> int:
    """Two to 120 days, many of them short; one in sixteen ends too soon to be worth a trade."""
    if random.below(16) == 0:
        return random.between(3, 20) * 3_600_000
    return int((2 + 118 * random.unit() ** 1.7) * DAY_MS)


def _whole_hour(at_ms: int) -> int:
    return at_ms // 3_600_000 * 3_600_000 + 3_600_000


def _first_opinion(spec: MarketSpec, random: Random64, now_ms: int) -> Opinion:
    fair = max(-2_600_000, min(2_600_000, round(1_150_000 * random.gauss())))
    draw = random.unit()
    if draw < 0.7:
        half = random.between(2_000, 11_000)  # one to three cents once rounded to the grid
    elif draw < 0.85:
        half = random.between(14_000, 22_000)
    else:
        half = random.between(30_000, 80_000)  # too wide
    depth = random.between(150, 900) * SHARE
    return opinion_of(spec, fair, half, depth, now_ms)


def _question(kind: Kind, random: Random64) -> str:
    template = kind.questions[random.below(len(kind.questions))]
    place = random.below(len(PLACES))
    team = random.below(len(TEAMS))
    return template.format(
        place=PLACES[place],
        place2=PLACES[(place + 1 + random.below(len(PLACES) - 1)) % len(PLACES)],
        surname=SURNAMES[random.below(len(SURNAMES))],
        team=TEAMS[team],
        team2=TEAMS[(team + 1 + random.below(len(TEAMS) - 1)) % len(TEAMS)],
        thing=THINGS[random.below(len(THINGS))],
        thing2=("harbour", "river", "railway", "orchard", "lighthouse")[random.below(5)],
        work=WORKS[random.below(len(WORKS))],
        number=random.between(2, 9),
        digit=random.below(10),
        rate=(25, 50)[random.below(2)],
        millimetres=random.between(4, 30) * 10,
        degrees=random.between(28, 41),
    )


def _slug(question: str) -> str:
    kept = "".join(letter if letter.isalnum() and letter.isascii() else " " for letter in question.lower())
    return "-".join(kept.split())[:80]
