"""The fictional people of the demo, with email domains and phone numbers that are not in use."""

from amarevents.demo.specs import Person

DEMO_ORGANIZER = "demo"
DEMO_ATTENDEE = "demo.attendee"
DEMO_ADMIN = "demo.admin"

# Mobile numbers in Bangladesh start with 013 to 019.
_OPERATORS = 7

ADMINS = (Person(DEMO_ADMIN, "Amar Events Team"),)

ORGANIZERS = (
    Person(DEMO_ORGANIZER, "Ishrat Nuha Talukder"),
    Person("mahbub.shopnil", "Mahbub Alam Shopnil"),
    Person("rezwana.kakoli", "Rezwana Karim Kakoli"),
    Person("tonmoy.barua", "Tonmoy Kanti Barua"),
    Person("shipra.bhowmik", "Shipra Rani Bhowmik"),
    Person("zahirul.pavel", "Zahirul Kabir Pavel"),
)

ATTENDEES = (
    Person(DEMO_ATTENDEE, "Nafisa Anjum Trisha", "নাফিসা আনজুম তৃষা"),
    Person("tahmina.mitu", "Tahmina Akter Mitu", "তাহমিনা আক্তার মিতু"),
    Person("sajid.nibir", "Sajid Hasan Nibir"),
    Person("farzana.shormi", "Farzana Yasmin Shormi", "ফারজানা ইয়াসমিন শর্মি"),
    Person("rakibul.turjo", "Rakibul Islam Turjo", "রাকিবুল ইসলাম তূর্য"),
    Person("anika.prova", "Anika Tabassum Prova"),
    Person("shuvra.chakma", "Shuvra Jyoti Chakma", "শুভ্র জ্যোতি চাকমা"),
    Person("mongpru.marma", "Mong Pru Marma"),
    Person("arpita.tuli", "Arpita Saha Tuli", "অর্পিতা সাহা তুলি"),
    Person("subrata.debnath", "Subrata Debnath Pial"),
    Person("elias.gomes", "Elias Rony Gomes", country="United Kingdom"),
    Person("joyita.barua", "Joyita Barua Moumi", "জয়িতা বড়ুয়া মৌমি"),
    Person("imtiaz.rafin", "Imtiaz Ahmed Rafin"),
    Person("sumaiya.oishi", "Sumaiya Binte Oishi", "সুমাইয়া বিনতে ঐশী"),
    Person("mehedi.shanto", "Mehedi Zaman Shanto"),
    Person("lamia.raisa", "Lamia Khatun Raisa", "লামিয়া খাতুন রাইসা"),
    Person("ashikur.dipto", "Ashikur Rahman Dipto"),
    Person("bristi.sarkar", "Bristi Rani Sarkar", "বৃষ্টি রানী সরকার"),
    Person("touhid.sabbir", "Touhid Bin Sabbir"),
    Person("nowrin.jerin", "Nowrin Sultana Jerin", "নওরিন সুলতানা জেরিন"),
    Person("kamrul.badhon", "Kamrul Huda Badhon"),
    Person("puja.mallick", "Puja Mallick Setu", "পূজা মল্লিক সেতু"),
    Person("fahim.tonoy", "Fahim Morshed Tonoy"),
    Person("rumana.keya", "Rumana Parvin Keya", "রুমানা পারভীন কেয়া"),
    Person("niloy.tripura", "Niloy Bikash Tripura"),
    Person("shaila.ananna", "Shaila Mahmud Ananna", "শায়লা মাহমুদ অনন্যা", country="Malaysia"),
    Person("wasif.rayan", "Wasif Iqbal Rayan"),
    Person("moushumi.hema", "Moushumi Dey Hema", "মৌসুমী দে হেমা"),
    Person("galib.anton", "Galib Chowdhury Anton"),
    Person("sadia.porshi", "Sadia Haque Porshi", "সাদিয়া হক পড়শি"),
    Person("hasib.nishan", "Hasib Uddin Nishan"),
    Person("tanzila.mim", "Tanzila Afrin Mim", "তানজিলা আফরিন মিম"),
    Person("prottoy.biswas", "Prottoy Kumar Biswas", "প্রত্যয় কুমার বিশ্বাস"),
    Person("rubaiyat.ornob", "Rubaiyat Ferdous Ornob"),
    Person("israt.labonno", "Israt Jerin Labonno", "ইসরাত জেরিন লাবণ্য"),
    Person("monir.palash", "Monir Hossain Palash"),
    Person("afsana.bithi", "Afsana Nur Bithi", "আফসানা নূর বীথি"),
    Person("dibakar.roy", "Dibakar Roy Shaon"),
    Person("shefali.nodi", "Shefali Begum Nodi", "শেফালী বেগম নদী"),
    Person("yasir.mahin", "Yasir Arman Mahin", country="United Arab Emirates"),
    Person("rehnuma.tithi", "Rehnuma Alam Tithi", "রেহনুমা আলম তিথি"),
)

# Accounts of this week that have not registered for anything yet.
NEWCOMERS = (
    Person("tushar.megh", "Tushar Kanti Megh"),
    Person("nilanjona.ritika", "Nilanjona Ahmed Ritika", "নীলাঞ্জনা আহমেদ ঋতিকা"),
    Person("shakira.orchi", "Shakira Yeasmin Orchi"),
)

# Those for whom an account's owner takes a further place.
GUESTS = (
    "Rashed Karim Ovi",
    "তানভীর আলম নাবিল",
    "Mitali Sen Dola",
    "Sohana Islam Ritu",
    "জোবায়ের মাহমুদ রনক",
    "Pallab Das Anik",
    "মেহেরুন রহমান ছোঁয়া",
    "Uthoai Ching Marma",
    "Rezaul Bari Tushar",
    "ফারিহা জামান দিয়া",
    "Sanjida Noor Chaity",
    "Antor Kumar Paul",
)


def phone(serial: int) -> str:
    """Return a mobile number of 11 digits, with four zeros in the middle that show that it is fictional."""
    return f"01{3 + serial % _OPERATORS}0000{serial:04d}"


def email(username: str) -> str:
    """Return an address at a domain reserved for examples (RFC 2606)."""
    return f"{username}@example.com"
