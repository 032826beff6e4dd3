"""The bot's own words in each language, and the settings of a channel. Documents and answers are never translated."""

from dataclasses import dataclass

from service.text.refusals import REFUSALS


@dataclass(frozen=True, slots=True)
class Phrases:
    """The texts around an answer: labels, buttons, and what the bot says when it cannot answer."""

    name: str
    reading: str
    reading_for: str
    read_as: str
    refused: str
    sources: str
    page: str
    unsupported: str
    nearest: str
    ask_differently: str
    helpful: str
    unhelpful: str
    passages: str
    share: str
    ask_as_typed: str
    delete: str
    close: str
    thanks: str
    failed: str
    late: str
    invalid: str
    no_collection: str
    members_only: str
    admins_only: str
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
    read_as="Read as: ",
    refused=REFUSALS["en"],
    sources="Sources",
    page="page",
    unsupported="not supported by the sources",
    nearest="Nearest in the documents",
    ask_differently="Other words may help, or a question about one thing at a time.",
    helpful="Helpful",
    unhelpful="Not helpful",
    passages="Show passages",
    share="Share here",
    ask_as_typed="Ask as typed",
    delete="Delete",
    close="Close",
    thanks="Thank you. This is kept with the answer.",
    failed="I could not answer this: something went wrong on my side. Please ask again.",
    late="I was away when you asked, and too much time has passed. Please ask again if you still want to know.",
    invalid="I cannot read this question: at most {most} characters are read. Ask in words, and for one thing at a time.",
    no_collection="The documents that this channel is set to are not there any more. Choose others with /quoth settings.",
    members_only="Only members of this workspace can change the settings.",
    admins_only="Only an administrator of the workspace can choose this collection.",
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
    read_as="Gelesen als: ",
    refused=REFUSALS["de"],
    sources="Quellen",
    page="Seite",
    unsupported="von den Quellen nicht gedeckt",
    nearest="Am nächsten kommt",
    ask_differently="Andere Worte können helfen, oder eine Frage nach einer Sache allein.",
    helpful="Hilfreich",
    unhelpful="Nicht hilfreich",
    passages="Fundstellen zeigen",
    share="Hier teilen",
    ask_as_typed="Wie geschrieben fragen",
    delete="Löschen",
    close="Schließen",
    thanks="Danke. Das ist bei der Antwort vermerkt.",
    failed="Das konnte ich nicht beantworten: Bei mir ist etwas schiefgegangen. Bitte frag noch einmal.",
    late="Ich war nicht da, als du gefragt hast, und viel Zeit ist vergangen. Frag noch einmal, wenn du es noch wissen willst.",
    invalid="Diese Frage kann ich nicht lesen: höchstens {most} Zeichen. Frag in Worten und nach einer Sache allein.",
    no_collection="Die Dokumente, die für diesen Kanal eingestellt sind, gibt es nicht mehr. Wähle andere mit /quoth settings.",
    members_only="Nur Mitglieder dieses Workspace können die Einstellungen ändern.",
    admins_only="Diese Sammlung kann nur wählen, wer den Workspace verwaltet.",
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
    read_as="Compris comme : ",
    refused=REFUSALS["fr"],
    sources="Sources",
    page="page",
    unsupported="non étayé par les sources",
    nearest="Au plus proche dans les documents",
    ask_differently="D’autres mots peuvent aider, ou une question sur une seule chose.",
    helpful="Utile",
    unhelpful="Pas utile",
    passages="Voir les passages",
    share="Partager ici",
    ask_as_typed="Demander tel quel",
    delete="Supprimer",
    close="Fermer",
    thanks="Merci. C’est noté avec la réponse.",
    failed="Je n’ai pas pu répondre : quelque chose a échoué de mon côté. Reposez la question, s’il vous plaît.",
    late="J’étais absent quand vous avez demandé, et trop de temps a passé. Reposez la question si elle vous intéresse encore.",
    invalid="Je ne peux pas lire cette question : {most} caractères au plus, en toutes lettres, sur une seule chose.",
    no_collection="Les documents choisis pour ce canal n’existent plus. Choisissez-en d’autres avec /quoth settings.",
    members_only="Seuls les membres de cet espace de travail peuvent modifier les réglages.",
    admins_only="Seule une personne qui administre l’espace de travail peut choisir cette collection.",
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
    read_as="Leído como: ",
    refused=REFUSALS["es"],
    sources="Fuentes",
    page="página",
    unsupported="sin respaldo en las fuentes",
    nearest="Lo más cercano en los documentos",
    ask_differently="Otras palabras pueden ayudar, o una pregunta sobre una sola cosa.",
    helpful="Útil",
    unhelpful="No es útil",
    passages="Ver los pasajes",
    share="Compartir aquí",
    ask_as_typed="Preguntar tal cual",
    delete="Borrar",
    close="Cerrar",
    thanks="Gracias. Queda anotado con la respuesta.",
    failed="No he podido responder: algo ha fallado por mi parte. Pregunta otra vez, por favor.",
    late="No estaba cuando preguntaste y ha pasado demasiado tiempo. Pregunta otra vez si aún te interesa.",
    invalid="No puedo leer esta pregunta: se leen {most} caracteres como máximo. Pregunta con palabras y sobre una sola cosa.",
    no_collection="Los documentos elegidos para este canal ya no están. Elige otros con /quoth settings.",
    members_only="Solo los miembros de este espacio de trabajo pueden cambiar los ajustes.",
    admins_only="Solo quien administra el espacio de trabajo puede elegir esta colección.",
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
_ITALIAN = Phrases(
    name="Italiano",
    reading="sta leggendo i documenti…",
    reading_for="Leggo i documenti per: ",
    read_as="Letta come: ",
    refused=REFUSALS["it"],
    sources="Fonti",
    page="pagina",
    unsupported="non confermato dalle fonti",
    nearest="I passi più vicini nei documenti",
    ask_differently="Altre parole possono aiutare, oppure una domanda su una cosa sola.",
    helpful="Utile",
    unhelpful="Non utile",
    passages="Mostra i passi",
    share="Condividi qui",
    ask_as_typed="Chiedi com’è scritta",
    delete="Elimina",
    close="Chiudi",
    thanks="Grazie. È stato annotato con la risposta.",
    failed="Non ho potuto rispondere: qualcosa è andato storto da parte mia. Ripeti la domanda, per favore.",
    late="Non c’ero quando hai fatto la domanda ed è passato troppo tempo. Ripetila, se ti interessa ancora.",
    invalid="Non posso leggere questa domanda: si leggono al massimo {most} caratteri. Scrivila a parole e su una cosa sola.",
    no_collection="I documenti scelti per questo canale non ci sono più. Scegline altri con /quoth settings.",
    members_only="Solo i membri di questo spazio di lavoro possono cambiare le impostazioni.",
    admins_only="Solo chi amministra lo spazio di lavoro può scegliere questa raccolta.",
    hint="Fammi una domanda a parole, per esempio: Qual è il nostro periodo di preavviso?",
    not_a_member="Non sono in questo canale. Invitami con /invite, poi riprova.",
    not_yours="Può farlo solo chi ha fatto la domanda.",
    restricted="Non posso condividere qui questa risposta: cita documenti che non tutti in questo canale possono leggere.",
    shared="ha chiesto",
    already_answered="Sto rispondendo a questo messaggio nel suo thread, oppure l’ho già fatto.",
    gone="Questa risposta non c’è più. Ripeti la domanda, per favore.",
    long_private="La risposta è lunga, quindi te l’ho inviata come messaggio diretto.",
    prompt="Che cosa dice «{title}»?",
    prompt_title="Interroga i documenti",
)
_PORTUGUESE = Phrases(
    name="Português",
    reading="está lendo os documentos…",
    reading_for="Leio os documentos para: ",
    read_as="Lida como: ",
    refused=REFUSALS["pt"],
    sources="Fontes",
    page="página",
    unsupported="sem apoio nas fontes",
    nearest="O mais próximo nos documentos",
    ask_differently="Outras palavras podem ajudar, ou uma pergunta sobre uma coisa só.",
    helpful="Útil",
    unhelpful="Não é útil",
    passages="Ver os trechos",
    share="Compartilhar aqui",
    ask_as_typed="Perguntar como está",
    delete="Apagar",
    close="Fechar",
    thanks="Obrigado. Fica registrado com a resposta.",
    failed="Não consegui responder: algo deu errado do meu lado. Pergunte outra vez, por favor.",
    late="Eu não estava quando você perguntou e passou tempo demais. Pergunte outra vez, se ainda quiser saber.",
    invalid="Não consigo ler esta pergunta: são lidos no máximo {most} caracteres. Pergunte com palavras e sobre uma coisa só.",
    no_collection="Os documentos escolhidos para este canal não existem mais. Escolha outros com /quoth settings.",
    members_only="Só os membros deste espaço de trabalho podem mudar as configurações.",
    admins_only="Só quem administra o espaço de trabalho pode escolher esta coleção.",
    hint="Faça uma pergunta com palavras, por exemplo: Qual é o nosso prazo de aviso prévio?",
    not_a_member="Não estou neste canal. Convide-me com /invite e tente outra vez.",
    not_yours="Só quem perguntou pode fazer isso.",
    restricted="Não posso compartilhar esta resposta aqui: ela cita documentos que nem todos neste canal podem ler.",
    shared="perguntou",
    already_answered="Estou respondendo a esta mensagem na conversa dela, ou já respondi.",
    gone="Esta resposta não existe mais. Pergunte outra vez, por favor.",
    long_private="A resposta é longa, por isso foi enviada como mensagem direta.",
    prompt="O que diz “{title}”?",
    prompt_title="Pergunte aos documentos",
)
LANGUAGES = {"en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "it": _ITALIAN, "pt": _PORTUGUESE}
DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """The settings of a channel.

    `collection` is empty for the default one. `folder` is the beginning of the documents' URIs, empty for all documents.
    `every_message`: answer without being mentioned. `silent`: post no refusals.
    """

    collection: str = ""
    folder: str = ""
    every_message: bool = False
    silent: bool = False
    language: str = DEFAULT_LANGUAGE

    @property
    def phrases(self) -> Phrases:
        """The bot's texts in the channel's language."""
        return LANGUAGES[self.language]
