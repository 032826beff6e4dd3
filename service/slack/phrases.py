"""The bot's own words, by language. What documents and answers say is never translated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Phrases:
    """What stands around an answer: labels, buttons, and what the bot says when it cannot answer."""

    name: str
    reading: str
    reading_for: str
    sources: str
    page: str
    unsupported: str
    nearest: str
    ask_differently: str
    helpful: str
    unhelpful: str
    passages: str
    share: str
    delete: str
    close: str
    thanks: str
    failed: str
    late: str
    hint: str
    not_a_member: str
    not_yours: str
    restricted: str
    shared: str
    already_answered: str
    gone: str
    long_private: str
    prompt: str
    prompt_title: str


_ENGLISH = Phrases(
    name="English",
    reading="is reading the documents…",
    reading_for="Reading the documents for: ",
    sources="Sources",
    page="page",
    unsupported="not supported by the sources",
    nearest="Nearest in the documents",
    ask_differently="Other words may help, or a question about one thing at a time.",
    helpful="Helpful",
    unhelpful="Not helpful",
    passages="Show passages",
    share="Share here",
    delete="Delete",
    close="Close",
    thanks="Thank you. This is kept with the answer.",
    failed="I could not answer this: something went wrong on my side. Please ask again.",
    late="I was away when you asked, and too much time has passed. Please ask again if you still want to know.",
    hint="Ask me a question in words, for example: What is our notice period?",
    not_a_member="I am not in this channel. Invite me with /invite, then try again.",
    not_yours="Only the person who asked can do this.",
    restricted="I cannot share this answer here: it quotes documents that not everybody in this channel may read.",
    shared="asked",
    already_answered="I am answering this message in its thread, or have done so already.",
    gone="This answer is not there any more. Please ask again.",
    long_private="The answer is long, so I sent it to you as a direct message.",
    prompt="What does “{title}” say?",
    prompt_title="Ask the documents",
)
_GERMAN = Phrases(
    name="Deutsch",
    reading="liest die Dokumente …",
    reading_for="Ich lese die Dokumente zu: ",
    sources="Quellen",
    page="Seite",
    unsupported="von den Quellen nicht gedeckt",
    nearest="Am nächsten kommt",
    ask_differently="Andere Worte können helfen, oder eine Frage nach einer Sache allein.",
    helpful="Hilfreich",
    unhelpful="Nicht hilfreich",
    passages="Fundstellen zeigen",
    share="Hier teilen",
    delete="Löschen",
    close="Schließen",
    thanks="Danke. Das ist bei der Antwort vermerkt.",
    failed="Das konnte ich nicht beantworten: Bei mir ist etwas schiefgegangen. Bitte frag noch einmal.",
    late="Ich war nicht da, als du gefragt hast, und viel Zeit ist vergangen. Frag noch einmal, wenn du es noch wissen willst.",
    hint="Stell mir eine Frage in Worten, zum Beispiel: Wie lang ist unsere Kündigungsfrist?",
    not_a_member="Ich bin nicht in diesem Kanal. Lade mich mit /invite ein und versuch es noch einmal.",
    not_yours="Das kann nur, wer gefragt hat.",
    restricted="Diese Antwort kann ich hier nicht teilen: Sie zitiert Dokumente, die nicht alle in diesem Kanal lesen dürfen.",
    shared="hat gefragt",
    already_answered="Diese Nachricht beantworte ich gerade in ihrem Thread, oder ich habe es schon getan.",
    gone="Diese Antwort ist nicht mehr da. Bitte frag noch einmal.",
    long_private="Die Antwort ist lang, deshalb kommt sie als Direktnachricht.",
    prompt="Was sagt „{title}“?",
    prompt_title="Frag die Dokumente",
)
_FRENCH = Phrases(
    name="Français",
    reading="lit les documents…",
    reading_for="Je lis les documents pour : ",
    sources="Sources",
    page="page",
    unsupported="non étayé par les sources",
    nearest="Au plus proche dans les documents",
    ask_differently="D’autres mots peuvent aider, ou une question sur une seule chose.",
    helpful="Utile",
    unhelpful="Pas utile",
    passages="Voir les passages",
    share="Partager ici",
    delete="Supprimer",
    close="Fermer",
    thanks="Merci. C’est noté avec la réponse.",
    failed="Je n’ai pas pu répondre : quelque chose a échoué de mon côté. Reposez la question, s’il vous plaît.",
    late="J’étais absent quand vous avez demandé, et trop de temps a passé. Reposez la question si elle vous intéresse encore.",
    hint="Posez-moi une question en toutes lettres, par exemple : Quel est notre délai de préavis ?",
    not_a_member="Je ne suis pas dans ce canal. Invitez-moi avec /invite, puis réessayez.",
    not_yours="Seule la personne qui a posé la question peut le faire.",
    restricted="Je ne peux pas partager cette réponse ici : elle cite des documents que certains ici ne peuvent pas lire.",
    shared="a demandé",
    already_answered="Je réponds à ce message dans son fil, ou je l’ai déjà fait.",
    gone="Cette réponse n’existe plus. Reposez la question, s’il vous plaît.",
    long_private="La réponse est longue, je l’ai donc envoyée en message direct.",
    prompt="Que dit « {title} » ?",
    prompt_title="Interroger les documents",
)
_SPANISH = Phrases(
    name="Español",
    reading="está leyendo los documentos…",
    reading_for="Leo los documentos para: ",
    sources="Fuentes",
    page="página",
    unsupported="sin respaldo en las fuentes",
    nearest="Lo más cercano en los documentos",
    ask_differently="Otras palabras pueden ayudar, o una pregunta sobre una sola cosa.",
    helpful="Útil",
    unhelpful="No es útil",
    passages="Ver los pasajes",
    share="Compartir aquí",
    delete="Borrar",
    close="Cerrar",
    thanks="Gracias. Queda anotado con la respuesta.",
    failed="No he podido responder: algo ha fallado por mi parte. Pregunta otra vez, por favor.",
    late="No estaba cuando preguntaste y ha pasado demasiado tiempo. Pregunta otra vez si aún te interesa.",
    hint="Hazme una pregunta con palabras, por ejemplo: ¿Cuál es nuestro plazo de preaviso?",
    not_a_member="No estoy en este canal. Invítame con /invite y prueba otra vez.",
    not_yours="Solo puede hacerlo quien preguntó.",
    restricted="No puedo compartir aquí esta respuesta: cita documentos que no todos en este canal pueden leer.",
    shared="preguntó",
    already_answered="Estoy respondiendo a este mensaje en su hilo, o ya lo he hecho.",
    gone="Esta respuesta ya no está. Pregunta otra vez, por favor.",
    long_private="La respuesta es larga, así que te la he enviado por mensaje directo.",
    prompt="¿Qué dice «{title}»?",
    prompt_title="Pregunta a los documentos",
)
LANGUAGES = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH}
DEFAULT_LANGUAGE = "en"
