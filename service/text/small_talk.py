"""Small talk: greetings, thanks, goodbyes and questions to the program, and the fixed reply to each by language. Pure.

A message is small talk only if all of it is: "Hello, when does the sauna open?" is a question.
"""

import re
from enum import StrEnum

from service.phrases.table import texts


class Talk(StrEnum):
    """What a message without a question to the documents is."""

    GREETING = "greeting"
    THANKS = "thanks"
    GOODBYE = "goodbye"
    ABOUT = "about"
    UNCLEAR = "unclear"


_SAID: dict[str, dict[Talk, str]] = {
    "en": {
        Talk.GREETING: "hi|hello|hey|hi there|hello there|hey there|good morning|good afternoon|good evening|good day|"
        "how are you|how are you doing|how do you do|nice to meet you",
        Talk.THANKS: "thanks|thank you|thanks a lot|many thanks|thank you very much|thank you so much|thx|ty|cheers|"
        "great thanks|ok thanks|perfect|great|well done|good job|that helps|that helped",
        Talk.GOODBYE: "bye|goodbye|good bye|bye bye|see you|see you later|good night|have a nice day",
        Talk.ABOUT: "who are you|what are you|what can you do|what do you do|what is your name|whats your name|who made you|"
        "how do you work|how does this work|what is this|help|help me|can you help me|are you a bot|are you a robot|"
        "are you human|what can i ask|what can i ask you|what is quoth|who is quoth|how can you help|how can you help me",
        Talk.UNCLEAR: "yes|no|ok|okay|yes please|no thanks|sure|test|testing|what did i just ask|what did i ask|"
        "what was my last question|what was my question|what did you say|what did you just say|"
        "repeat that|say that again",
    },
    "de": {
        Talk.GREETING: "hallo|guten tag|guten morgen|guten abend|grüß gott|moin|servus|hallo zusammen|wie geht es dir|"
        "wie geht es ihnen|wie gehts",
        Talk.THANKS: "danke|danke schön|dankeschön|vielen dank|danke sehr|besten dank|herzlichen dank|super danke",
        Talk.GOODBYE: "tschüss|tschüß|auf wiedersehen|bis bald|bis später|gute nacht",
        Talk.ABOUT: "wer bist du|wer sind sie|was bist du|was kannst du|was können sie|hilfe|wie heißt du|"
        "was kann ich fragen|wie funktioniert das",
        Talk.UNCLEAR: "ja|nein|ja bitte|nein danke|was habe ich gerade gefragt",
    },
    "fr": {
        Talk.GREETING: "bonjour|salut|bonsoir|coucou|comment allez-vous|comment vas-tu|ça va",
        Talk.THANKS: "merci|merci beaucoup|merci bien|je vous remercie",
        Talk.GOODBYE: "au revoir|à bientôt|bonne journée|bonne nuit|adieu",
        Talk.ABOUT: "qui es-tu|qui êtes-vous|que peux-tu faire|que pouvez-vous faire|que sais-tu faire|aide|aide-moi|"
        "aidez-moi|comment ça marche",
        Talk.UNCLEAR: "oui|non|oui merci|non merci|d'accord",
    },
    "es": {
        Talk.GREETING: "hola|buenos días|buenas tardes|buenas noches|buenas|qué tal|cómo estás|cómo está",
        Talk.THANKS: "gracias|muchas gracias|mil gracias",
        Talk.GOODBYE: "adiós|hasta luego|hasta pronto|hasta mañana|chao",
        Talk.ABOUT: "quién eres|quién es usted|qué eres|qué puedes hacer|qué puede hacer|qué sabes hacer|ayuda|ayúdame",
        Talk.UNCLEAR: "sí|vale|no gracias|sí por favor",
    },
    "it": {
        Talk.GREETING: "ciao|buongiorno|buonasera|salve|come stai|come va",
        Talk.THANKS: "grazie|grazie mille|molte grazie|tante grazie",
        Talk.GOODBYE: "arrivederci|a presto|buonanotte",
        Talk.ABOUT: "chi sei|cosa sai fare|che cosa sai fare|cosa puoi fare|aiuto|aiutami",
        Talk.UNCLEAR: "sì|va bene|no grazie|sì grazie",
    },
    "pt": {
        Talk.GREETING: "olá|oi|bom dia|boa tarde|boa noite|tudo bem|como vai",
        Talk.THANKS: "obrigado|obrigada|muito obrigado|muito obrigada",
        Talk.GOODBYE: "tchau|até logo|até breve|adeus",
        Talk.ABOUT: "quem é você|quem és tu|o que você pode fazer|o que você faz|o que podes fazer|ajuda|ajude-me",
        Talk.UNCLEAR: "sim|não|não obrigado",
    },
    "nl": {
        Talk.GREETING: "hoi|goedemorgen|goedemiddag|goedenavond|goedendag|hoe gaat het|dag",
        Talk.THANKS: "bedankt|dank je|dank je wel|dank u|dank u wel|dankjewel|hartelijk dank",
        Talk.GOODBYE: "tot ziens|doei|tot straks|welterusten",
        Talk.ABOUT: "wie ben je|wie bent u|wat kun je|wat kan je|wat kunt u|wat kun je doen|help mij",
        Talk.UNCLEAR: "nee|nee bedankt|ja graag",
    },
    "ru": {
        Talk.GREETING: "привет|здравствуйте|здравствуй|доброе утро|добрый день|добрый вечер|как дела",
        Talk.THANKS: "спасибо|большое спасибо|спасибо большое|благодарю",
        Talk.GOODBYE: "пока|до свидания|до встречи|спокойной ночи",
        Talk.ABOUT: "кто ты|кто вы|что ты умеешь|что вы умеете|помощь|помоги|помогите",
        Talk.UNCLEAR: "да|нет",
    },
    "zh": {
        Talk.GREETING: "你好|您好|早上好|下午好|晚上好|嗨|你好吗",
        Talk.THANKS: "谢谢|谢谢你|谢谢您|多谢|非常感谢",
        Talk.GOODBYE: "再见|拜拜|晚安",
        Talk.ABOUT: "你是谁|您是谁|你能做什么|你会做什么|你可以做什么|帮助|你叫什么名字",
        Talk.UNCLEAR: "是|不是|好的",
    },
    "ja": {
        Talk.GREETING: "こんにちは|こんばんは|おはよう|おはようございます|はじめまして|やあ",
        Talk.THANKS: "ありがとう|ありがとうございます|どうもありがとう|どうもありがとうございます",
        Talk.GOODBYE: "さようなら|またね|おやすみ|おやすみなさい",
        Talk.ABOUT: "あなたは誰ですか|あなたは誰|何ができますか|何ができるの|ヘルプ|お名前は",
        Talk.UNCLEAR: "はい|いいえ",
    },
    "ar": {
        Talk.GREETING: "مرحبا|أهلا|السلام عليكم|صباح الخير|مساء الخير|كيف حالك",
        Talk.THANKS: "شكرا|شكرا جزيلا|شكرا لك",
        Talk.GOODBYE: "مع السلامة|وداعا|إلى اللقاء",
        Talk.ABOUT: "من أنت|ماذا يمكنك أن تفعل|مساعدة|ما اسمك",
        Talk.UNCLEAR: "نعم|لا",
    },
}
_BY_PHRASE = {
    phrase: (language, talk)
    for language, said in reversed(_SAID.items())  # a phrase of several languages is that of the first
    for talk, phrases in said.items()
    for phrase in phrases.split("|")
}
_BARE = frozenset("why|who|when|where|how|what|which|why not|how so|how come|how much|how many|since when".split("|"))
_PART = re.compile(r"[,.;:!?¡¿。，！？、؟\n–—]+")
_NOT_SAID = re.compile(r"[^\w\s'’-]|_")
_ADDRESSED = re.compile(r"\s+(?:quoth|bot|everyone|all|there|again|please)\Z")


def small_talk(message: str, *, is_first: bool = False) -> str | None:
    """Return the fixed reply to a message that is small talk; None for any other.

    `is_first`: nothing was asked before, so that a bare "Why?" asks for nothing.
    """
    parts = [part for part in map(_plain, _PART.split(message)) if part and part != "quoth"]
    found = [_BY_PHRASE.get(part) or _BY_PHRASE.get(_ADDRESSED.sub("", part)) for part in parts]
    known = [one for one in found if one is not None]
    if parts and len(known) == len(parts):
        return _reply(*known[-1])
    return _reply("en", Talk.UNCLEAR) if is_first and len(parts) == 1 and parts[0] in _BARE else None


def is_reply(text: str) -> bool:
    """Whether the text is one of the fixed replies."""
    return text in _REPLIES


def _reply(language: str, talk: Talk) -> str:
    said = texts(language, "answers")
    invitation = said["invitation"]
    if talk is Talk.UNCLEAR:
        return invitation
    return f"{said[talk]} {invitation}" if talk in (Talk.GREETING, Talk.ABOUT) else said[talk]


def _plain(part: str) -> str:
    """The part in lower case, without emojis and signs."""
    return " ".join(_NOT_SAID.sub(" ", part.casefold()).replace("’", "'").split())


_REPLIES = frozenset(_reply(language, talk) for language in _SAID for talk in Talk)
