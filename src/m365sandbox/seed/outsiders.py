"""The world outside: customers, candidates and senders of bulk mail, each with the language they write in."""

from __future__ import annotations

from dataclasses import dataclass

from ..letters import Address


@dataclass(frozen=True, slots=True)
class Outsider:
    """Somebody who writes in. `kind` is customer or candidate; `company` is empty for candidates."""

    name: str
    address: str
    language: str
    company: str
    kind: str

    @property
    def as_address(self) -> Address:
        """As a recipient."""
        return Address(self.name, self.address)


_CUSTOMERS = (
    ("Brightwater Foods", "brightwater.example", "en", ("Helen Moss", "Duncan Frye", "Salma Idris")),
    ("Tidewell Marine", "tidewell.example", "en", ("Rory Blake", "Ines Calder")),
    ("Copper & Finch", "copperfinch.example", "en", ("Abigail Stone", "Leo Marsh")),
    ("Northgate Clinics", "northgate-clinics.example", "en", ("Dr. Samuel Oduya", "Faith Renner")),
    ("Ashgrove Schools Trust", "ashgrove.example", "en", ("Colm Brady", "Tess O'Hare")),
    ("Messwerk Süd GmbH", "messwerk-sued.example", "de", ("Jürgen Köhler", "Anke Weiß", "Bärbel Groß")),
    ("Alpenlicht AG", "alpenlicht.example", "de", ("Reto Zürcher", "Heidi Brunner")),
    ("Hafenkontor Lübeck", "hafenkontor.example", "de", ("Sönke Petersen",)),
    ("Atelier Garonne", "atelier-garonne.example", "fr", ("Élodie Lefèvre", "Benoît Château")),
    ("Laiterie du Pré Vert", "prevert.example", "fr", ("Maëlle Guérin", "François Noël")),
    ("水鏡計測株式会社", "suikyo.example", "ja", ("佐藤 健一", "鈴木 美咲")),
    ("青葉精機", "aobaseiki.example", "ja", ("高橋 翔", "渡辺 さくら")),
    ("شركة النخيل للتجهيز", "nakheel-supply.example", "ar", ("ليلى المنصوري", "خالد الحربي")),
    ("مختبرات الواحة", "alwaha-labs.example", "ar", ("سامي الدوسري",)),
    ("מעבדות כרמל", "carmel-labs.example", "he", ("נועה לוי", "דניאל ברק")),
)

_CANDIDATES = (
    ("Jonas Ekström", "en"), ("Marisol Vega", "en"), ("Deepa Nair", "en"), ("Kwame Boateng", "en"),
    ("Lotte Vermeer", "en"), ("Fatima Zahra Benali", "fr"), ("Clément Roux", "fr"), ("Katharina Vogel", "de"),
    ("Max Hofstätter", "de"), ("Haruto Nakamura", "ja"), ("نور حداد", "ar"), ("Siobhán Ní Dhúill", "en"),
)  # fmt: skip

BULK = (
    ("The Lab Bench Weekly", "digest@labbenchweekly.example"),
    ("Fieldnote Magazine", "hello@fieldnote.example"),
    ("Parcelhawk", "tracking@parcelhawk.example"),
    ("Ledgerleaf Billing", "no-reply@ledgerleaf.example"),
    ("Metrology Society", "news@metrology-society.example"),
    ("Teamgarden", "notifications@teamgarden.example"),
    ("Bahnreise Kompass", "newsletter@bahnreise.example"),
    ("La Gazette du Capteur", "lettre@gazette-capteur.example"),
)

JUNK = (
    ("Prize Desk", "winner@lucky-draw.example"),
    ("SEO Rockets", "sales@seo-rockets.example"),
    ("账户通知", "notice@secure-mailbox.example"),
)


def outsiders() -> tuple[Outsider, ...]:
    """All of them, always the same and in the same order."""
    found = []
    for company, domain, language, names in _CUSTOMERS:
        for number, name in enumerate(names, start=1):
            found.append(Outsider(name, f"{_local(name, number)}@{domain}", language, company, "customer"))
    for number, (name, language) in enumerate(_CANDIDATES, start=1):
        found.append(
            Outsider(name, f"{_local(name, number)}@{_MAIL[number % len(_MAIL)]}", language, "", "candidate")
        )
    return tuple(found)


_MAIL = ("postbox.example", "mailhaven.example", "outlook.example")
_FOLD = str.maketrans({"ü": "ue", "ö": "oe", "ä": "ae", "ß": "ss", "é": "e", "è": "e", "ë": "e", "ç": "c", "î": "i",
                       "â": "a", "á": "a", "í": "i", "ú": "u", "'": ""})  # fmt: skip


def _local(name: str, number: int) -> str:
    folded = name.casefold().translate(_FOLD).removeprefix("dr. ")
    words = [word for word in folded.split() if word.isascii()]
    return ".".join(words) if words else f"contact{number}"
