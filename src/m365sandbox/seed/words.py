"""The phrase book: what people in the sandbox write about, language by language.

Slots in braces: product, number, date, place, name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Language:
    """How letters in one language are put together. `quote` are Outlook's words over a quoted letter."""

    code: str
    rtl: bool
    hello: tuple[str, ...]
    close: tuple[str, ...]
    subjects: tuple[str, ...]
    sentences: tuple[str, ...]
    reply: str
    quote: tuple[str, str, str, str]  # From, Sent, To, Subject
    wrote: str  # the line over a quote in other programs: {when} {who}


ENGLISH = Language(
    code="en",
    rtl=False,
    hello=("Hi {first},", "Hello {first},", "Dear {first},", "Good morning {first},", "{first},"),
    close=("Best regards,", "Many thanks,", "Kind regards,", "Cheers,", "Thanks a lot,"),
    subjects=(
        "Quote for {number} {product}",
        "Delivery date for order {number}",
        "Calibration certificates {product}",
        "Question about the {product}",
        "Renewal of our service contract",
        "Visit to {place} on {date}",
        "Invoice {number}: amount differs",
        "Minutes of our call on {date}",
        "Spare parts for the {product}",
        "Trial unit returned",
        "New contact for purchasing",
        "Warranty claim {number}",
        "Hello",
        "Invoice",
        "🎉 Go-live went well",
        "Training for {number} people",
        "Price list for next year",
        "Re-order",
    ),
    sentences=(
        "We have had the {product} running since {date} and the readings are steady within two per cent.",
        "Could you let me know whether {number} units are in stock, or when the next batch leaves the factory?",
        "Our finance team needs the purchase order number on page one, otherwise the payment run skips it.",
        "I attach the sheet with the measured values; the third column is the one that surprised us.",
        'The driver left the pallet at the wrong gate, so please put "{place}, gate 4" on the label next time.',
        "{name} is on leave until {date}; until then I am your contact for everything about this order.",
        "If it helps, we can return the first delivery and take {number} of the newer model instead.",
        "We agreed on the phone that installation is included, and I would like to have this in writing.",
        "The display shows E{number} after about ten minutes, but only when the pump is running.",
        "Thank you for the quick help yesterday; the team in {place} was back at work within the hour.",
        "Please send the certificates as a PDF, one for each serial number, not as one long scan.",
        "Let us talk on {date} at ten; I will send an invitation to you and {name}.",
        "The price is fine for us if you can hold it until the end of the quarter.",
        "I have added {name} in copy, who looks after the laboratory in {place}.",
        "There is no hurry, but before {date} would be good because of the audit.",
        "We compared three suppliers and yours is the only one with a service point in {place}.",
        "Attached is the signed order. Please confirm the delivery week when you can. 👍",
        "One more thing: the manual speaks of a second sensor cable, but only one was in the box.",
    ),
    reply="Re: ",
    quote=("From", "Sent", "To", "Subject"),
    wrote="On {when}, {who} wrote:",
)

GERMAN = Language(
    code="de",
    rtl=False,
    hello=("Hallo {first},", "Guten Tag {first},", "Liebe(r) {first},", "Sehr geehrte Damen und Herren,"),
    close=("Mit freundlichen Grüßen", "Viele Grüße", "Beste Grüße aus {place}", "Herzlichen Dank und Gruß"),
    subjects=(
        "Angebot über {number} {product}",
        "Liefertermin Bestellung {number}",
        "Rückfrage zur Rechnung {number}",
        "Prüfprotokoll für {product}",
        "Wartungsvertrag verlängern",
        "Besuch in {place} am {date}",
        "Ersatzteile: Größe und Gewicht",
        "Schulung für neue Mitarbeiter",
    ),
    sentences=(
        "vielen Dank für Ihr Angebot, wir nehmen {number} Stück zum genannten Preis.",
        "Könnten Sie bitte prüfen, ob die Lieferung noch vor dem {date} bei uns in {place} eintrifft?",
        "Die Messwerte des {product} schwanken seit gestern stärker als üblich.",
        "Anbei erhalten Sie die unterschriebene Bestellung und die Übersicht der Seriennummern.",
        "Unsere Buchhaltung benötigt die Umsatzsteuer getrennt ausgewiesen.",
        "Frau {name} übernimmt ab sofort die Betreuung unseres Labors.",
        "Für eine kurze Rückmeldung wäre ich Ihnen sehr dankbar.",
        "Bitte berücksichtigen Sie, dass wir am {date} geschlossen haben.",
        "Die Größe des Gehäuses passt leider nicht in unseren Schaltschrank.",
        "Gerne bestätigen wir den Termin; {number} Personen werden teilnehmen.",
    ),
    reply="AW: ",
    quote=("Von", "Gesendet", "An", "Betreff"),
    wrote="Am {when} schrieb {who}:",
)

FRENCH = Language(
    code="fr",
    rtl=False,
    hello=("Bonjour {first},", "Cher {first},", "Bonjour à tous,"),
    close=("Bien cordialement,", "Cordialement,", "Bonne journée,", "Merci d’avance,"),
    subjects=(
        "Devis pour {number} {product}",
        "Délai de livraison – commande {number}",
        "Facture n° {number}",
        "Visite à {place} le {date}",
        "Étalonnage du {product}",
        "Problème à la réception",
    ),
    sentences=(
        "Nous avons bien reçu votre devis et souhaitons commander {number} pièces.",
        "Pourriez-vous nous confirmer la date d’expédition avant le {date} ?",
        "L’appareil {product} affiche une erreur depuis ce matin, sans raison apparente.",
        "Vous trouverez ci-joint le bon de commande signé ainsi que la liste des numéros de série.",
        "{name} sera votre interlocutrice pendant mes congés.",
        "Notre service comptable n’a pas encore reçu la facture corrigée.",
        "Le colis a été livré à {place}, mais il manquait le câble du capteur.",
        "Je vous remercie de l’aide très rapide apportée hier à notre équipe.",
        "Serait-il possible d’organiser une formation sur place à l’été ?",
        "Ça marche très bien depuis la mise à jour, bravo à l’équipe !",
    ),
    reply="RE: ",
    quote=("De", "Envoyé", "À", "Objet"),
    wrote="Le {when}, {who} a écrit :",
)

JAPANESE = Language(
    code="ja",
    rtl=False,
    hello=("{first} 様", "いつもお世話になっております。", "{first} 様\u3000お世話になります。"),
    close=("よろしくお願いいたします。", "以上、よろしくお願い申し上げます。", "引き続きよろしくお願いいたします。"),
    subjects=(
        "{product} {number}台のお見積りについて",
        "納期のご確認（注文番号 {number}）",
        "校正証明書の件",
        "{date} {place}でのお打ち合わせ",
        "請求書の再発行のお願い",
        "【至急】測定値の異常について",
    ),
    sentences=(
        "先日お送りいただいた{product}は問題なく動作しております。",
        "{number}台の納期を{date}までにご連絡いただけますでしょうか。",
        "添付の資料をご確認のうえ、ご返信をお願いいたします。",
        "{place}の拠点では来月から新しい担当者が対応いたします。",
        "請求書の金額に誤りがあるようですので、再発行をお願いいたします。",
        "画面にエラーコード E{number} が表示され、測定が途中で止まります。",
        "お忙しいところ恐れ入りますが、ご検討のほどよろしくお願いいたします。",
        "{name}も打ち合わせに参加する予定です。",
        "校正証明書はシリアル番号ごとにPDFでお送りください。",
    ),
    reply="RE: ",
    quote=("差出人", "送信日時", "宛先", "件名"),
    wrote="{when} {who}:",
)

ARABIC = Language(
    code="ar",
    rtl=True,
    hello=("السيد/ة {first} المحترم/ة،", "مرحباً {first}،", "السلام عليكم،"),
    close=("مع خالص التحية،", "وتفضلوا بقبول فائق الاحترام،", "شكراً جزيلاً،"),
    subjects=(
        "عرض سعر لعدد {number} من {product}",
        "موعد تسليم الطلب رقم {number}",
        "استفسار عن الفاتورة {number}",
        "زيارة إلى {place} بتاريخ {date}",
        "شهادات المعايرة",
    ),
    sentences=(
        "نشكركم على العرض، ونود طلب {number} وحدة بالسعر المذكور.",
        "نرجو تأكيد موعد الشحن قبل {date} إن أمكن.",
        "يعمل جهاز {product} بشكل ممتاز منذ التركيب الأخير.",
        "تجدون في المرفقات أمر الشراء الموقّع وقائمة الأرقام التسلسلية.",
        "ستتولى {name} متابعة هذا الموضوع أثناء إجازتي.",
        "وصلت الشحنة إلى {place} لكن ينقصها كابل المستشعر.",
        "يرجى إصدار الفاتورة باسم الشركة مع ذكر الرقم الضريبي.",
        "هل يمكن ترتيب دورة تدريبية لفريقنا في الأسبوع القادم؟",
    ),
    reply="رد: ",
    quote=("من", "تم الإرسال", "إلى", "الموضوع"),
    wrote="في {when}، كتب {who}:",
)

HEBREW = Language(
    code="he",
    rtl=True,
    hello=("שלום {first},", "היי {first},"),
    close=("בברכה,", "תודה רבה,"),
    subjects=("הצעת מחיר עבור {number} {product}", "מועד אספקה להזמנה {number}", "שאלה לגבי החשבונית"),
    sentences=(
        "תודה על ההצעה, נשמח להזמין {number} יחידות.",
        "האם אפשר לקבל את המשלוח לפני {date}?",
        "המכשיר {product} מציג הודעת שגיאה מאז הבוקר.",
        "מצורפת הזמנה חתומה ורשימת המספרים הסידוריים.",
        "{name} תחליף אותי עד סוף החודש.",
    ),
    reply="השב: ",
    quote=("מאת", "נשלח", "אל", "נושא"),
    wrote="בתאריך {when}, {who} כתב/ה:",
)

JOB_ENGLISH = replace(
    ENGLISH,
    subjects=(
        "Application: field engineer",
        "Question about the laboratory position",
        "Interview on {date}",
        "My references",
        "Availability from {date}",
        "Thank you for the conversation",
    ),
    sentences=(
        "I have worked with calibration equipment for {number} months and would like to do so at a larger scale.",
        "My notice period ends on {date}; I could start in {place} the week after.",
        "Please find my CV and two references attached.",
        "Would an interview on {date} suit you? I am free all day.",
        "I enjoyed meeting {name} and the team, and the tour of the workshop even more. 🙂",
        "Is working from {place} two days a week possible in this role?",
        "My salary expectation is negotiable, the work matters more to me.",
        "I would be glad to solve the practical task again with the other data set.",
    ),
)
JOB_GERMAN = replace(
    GERMAN,
    subjects=("Bewerbung als Servicetechniker/in", "Terminvorschlag Vorstellungsgespräch {date}", "Meine Unterlagen"),
    sentences=(
        "hiermit bewerbe ich mich auf die ausgeschriebene Stelle in {place}.",
        "Meinen Lebenslauf und die Zeugnisse finden Sie im Anhang.",
        "Der Termin am {date} passt mir sehr gut.",
        "Über eine Einladung zum Gespräch würde ich mich freuen.",
        "Ich könnte frühestens am {date} anfangen.",
    ),
)
JOB_FRENCH = replace(
    FRENCH,
    subjects=("Candidature au poste de technicienne", "Disponibilité le {date}", "Lettre de motivation"),
    sentences=(
        "Je vous adresse ma candidature pour le poste basé à {place}.",
        "Vous trouverez mon CV ainsi que deux recommandations en pièces jointes.",
        "Je suis disponible le {date} pour un entretien.",
        "Je reste à votre disposition pour tout renseignement complémentaire.",
    ),
)

JOBS = {"en": JOB_ENGLISH, "de": JOB_GERMAN, "fr": JOB_FRENCH}
LANGUAGES = {one.code: one for one in (ENGLISH, GERMAN, FRENCH, JAPANESE, ARABIC, HEBREW)}


def language(code: str, *, job: bool) -> Language:
    """The phrases of a language, of people who look for work where `job`."""
    return JOBS.get(code, JOB_ENGLISH) if job else LANGUAGES[code]


PRODUCTS = (
    "FlowSense 200",
    "pH-Wächter",
    "TurbiMax",
    "OptiGauge S",
    "DewPoint Mini",
    "LevelEye",
    "ConductoPro",
    "NanoScale 4",
    "ThermoLog",
    "PressureCube",
)
PLACES = ("Rotterdam", "Leeds", "Graz", "Nantes", "大阪", "دبي", "Porto", "Göteborg", "חיפה", "Łódź")
NAMES = ("Maren", "Idris", "Chloé", "Paweł", "美咲", "سلمى", "Oskar", "Renée", "Tuğba", "Aoife")
TITLES = (
    "Sales Manager",
    "Customer Care",
    "Head of Laboratory",
    "Purchasing",
    "Field Engineer",
    "Quality Assurance",
)
