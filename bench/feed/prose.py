"""Seeded text with the redundancy of business English: common words are common, numbers and names are not."""

from __future__ import annotations

from random import Random

_WORDS_TEXT = """
the of and to in for is on that with we be this by are as it from at will have you our an not can or your
if all has please was more time they any new new team week today project customer order date report
meeting review next last first update plan offer price contract delivery number would should could about
after before into over than then there these those when where which while who without within between
because during until change question answer call office invoice payment account service support product
system design draft version page list table result work need know think make take give find send reply
receive confirm agree attach include follow share read write open close start finish move keep hold bring
build check ask tell show look feel want use try help talk turn small large early late high low long short
good better best clear simple complete correct current final general important available possible ready
local global public private several different similar special recent morning afternoon evening monday
tuesday wednesday thursday friday january march june september november month year quarter budget cost
margin revenue forecast target growth market sales supplier partner client candidate interview position
salary holiday travel flight hotel station warehouse shipment package container machine engine sensor
battery cable module firmware software release feature backlog sprint ticket incident outage server
database network backup security access password policy approval signature legal clause appendix schedule
milestone deadline priority risk issue solution workshop training agenda minutes summary proposal estimate
quotation discount currency transfer bank receipt refund warranty return repair quality sample material
steel timber paper colour label catalogue brochure campaign website newsletter audience feedback survey
comment opinion decision board director manager engineer analyst colleague assistant department factory
branch region country city street building floor room desk
"""
WORDS = _WORDS_TEXT.split()

_GIVEN_TEXT = """
Ana Ben Cleo Dario Emma Farid Greta Hugo Ines Jonas Karin Luca Mira Noah Olga Pavel Quinn Rosa Sven Tara
"""
GIVEN = _GIVEN_TEXT.split()
_FAMILY_TEXT = """
Alder Berg Costa Dvořák Eriksen Fischer Garcia Haas Ivanova Jensen Kowalski Lindqvist Moreau Novák O'Brien
Petrov Quist Rossi Schäfer Takahashi Ueda Vasquez Weiß Yılmaz Zhang
"""
FAMILY = _FAMILY_TEXT.split()
COMPANIES = [
    "northwind",
    "brightwater",
    "oakfield",
    "lumen",
    "tessel",
    "harbourline",
    "quarrystone",
    "vantage",
    "meridian",
    "foxglove",
]

_WEIGHTS = [1.0 / (rank + 2.7) for rank in range(len(WORDS))]


def sentences(*, rng: Random, count: int) -> list[str]:
    """`count` sentences of 6 to 24 words, about 90 characters; one in seven has a number or a name."""
    made = []
    for _ in range(count):
        words = rng.choices(WORDS, weights=_WEIGHTS, k=rng.randint(6, 24))
        odd = rng.random()
        if odd < 0.08:
            words.insert(rng.randrange(len(words)), f"{rng.randrange(10, 99999)}")
        elif odd < 0.14:
            words.insert(rng.randrange(1, len(words)), person(rng=rng))
        made.append(" ".join(words).capitalize() + rng.choice((".", ".", ".", "?", ", thanks.", " – please check.")))
    return made


def person(*, rng: Random) -> str:
    """A full name."""
    return f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"
