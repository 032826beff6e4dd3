"""What chat front ends ask by themselves is answered in the form that they ask for, and never from the documents.

The requests have the form of those that Open WebUI, LibreChat, LobeChat, NextChat and others send.
"""

import json
from typing import Any

import httpx
import pytest

from service.api.front_end_tasks import front_end_reply
from service.api.schemas.openai import CompletionRequest
from tests.growth import assert_linear
from tests.scripted_answerer import ScriptedAnswerer

QUESTION = "What is the opening time of the harbour?"
TITLE = "Opening time of the harbour"
TURNS = f'USER: {QUESTION}\nASSISTANT: At six. [1]\n\nSources:\n[1] Rules: “{{ "open": ["six"] }}”'
HISTORY = f"<chat_history>\n{TURNS}\n</chat_history>"


def user(*texts: str) -> list[Any]:
    return [{"role": "user", "content": text} for text in texts]


def system(instruction: str, text: str) -> list[Any]:
    return [{"role": "system", "content": instruction}, *user(text)]


def reply(messages: list[Any], **more: Any) -> str | None:
    return front_end_reply(CompletionRequest.model_validate({"model": "quoth", "messages": messages, **more}))


TITLES = {
    "Open WebUI": user(
        "Create a concise, 3-5 word title with an emoji as a title for the chat history, in the given language. "
        f"RESPOND ONLY WITH THE TITLE TEXT.\n\nExamples of titles:\n📉 Stock Market Trends\n\n{HISTORY}"
    ),
    "Open WebUI, earlier": user(
        f"Here is the query:\n{QUESTION}\n\nCreate a concise, 3-5 word phrase with an emoji as a title for the previous "
        "query. RESPOND ONLY WITH THE TITLE TEXT.\n\nExamples of titles:\n📉 Stock Market Trends"
    ),
    "Open WebUI, earliest": user(
        "Create a concise, 3-5 word phrase as a header for the following query, strictly adhering to the 3-5 word limit: "
        f"{QUESTION}"
    ),
    "a template of an administrator": user(f"Create a concise, 3-5 word title for this conversation about: {QUESTION}"),
    "a history without tags": user(
        f"Here is the chat history:\nUser: {QUESTION}\nAssistant: At six.\n\n"
        "Generate a concise title for this conversation in at most 6 words."
    ),
    "tagged turns": user(
        "You will be given a chat history and you will need to come up with a title for the chat.\n- At most 32 characters.\n"
        "\nHere is the chat history, within <chat_history></chat_history> XML tags.\n<chat_history>\n"
        f"<message><sender>user</sender><text>{QUESTION}</text></message>\n</chat_history>\n\n"
        "What is the title that you would give to this chat?"
    ),
    "LibreChat": user(
        "Provide a concise, 5-word-or-less title for the conversation, using title case conventions. Only return the title "
        f"itself.\n\nConversation:\nUser: {QUESTION}\nAI: At six."
    ),
    "LibreChat, earlier": system(
        "Write a concise title for this conversation in the given language. Title in 5 Words or Less. No Punctuation or "
        f'Quotation.\n||>User:\n"{QUESTION}"\n||>Response:\n"At six."',
        "Language: English",
    ),
    "LobeChat": system(
        "You are a professional conversation summarizer. Generate a concise title that captures the essence of the "
        "conversation.\n\nRules:\n- Output ONLY the title text\n- Maximum 10 words",
        f"user: {QUESTION}\nassistant: At six.",
    ),
    "a starter of a chat with Vercel's ai": system(
        "\n- you will generate a short title based on the first message a user begins a conversation with\n"
        "- ensure it is not more than 80 characters long\n- do not use quotes or colons",
        QUESTION,
    ),
    "NextChat": [
        *user(QUESTION),
        {"role": "assistant", "content": "At six. [1]"},
        *user("Please generate a four to five word title summarizing our conversation without any lead-in or punctuation."),
    ],
}  # fmt: skip


@pytest.mark.parametrize("messages", TITLES.values(), ids=TITLES)
def test_a_title_is_the_beginning_of_the_question(messages: list[Any]) -> None:
    assert reply(messages) == TITLE


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("**How many days of leave do employees of the harbour have?**", "How many days of leave"),
        ("Who are you?", "Who are you"),
        ("which ships may\nenter?", "Which ships may"),
        ("“A”", "A"),
        ("?!", "Conversation"),
        ("x" * 1000, "X" + "x" * 59),
    ],
)
def test_a_title_has_five_words_of_the_first_line_and_no_marks(question: str, title: str) -> None:
    assert (
        reply(user(f"Generate a 3-5 word title for the chat.\n<chat_history>\nUSER: {question}\n</chat_history>"))
        == title
    )


def form(task: str, output: str) -> list[Any]:
    return user(
        f"### Task:\n{task}\n### Guidelines:\n- Be brief.\n### Output:\n{output}\n### Chat History:\n{HISTORY}\n"
    )


FORMS = {
    "title": (form("Generate a concise, 3-5 word title with an emoji summarizing the chat history.",
                   'JSON format: { "title": "your concise title here" }'), {"title": TITLE}),
    "tags": (form("Generate 1-3 broad tags categorizing the main themes of the chat history.",
                  'JSON format: { "tags": ["tag1", "tag2"] }'), {"tags": []}),
    "follow-up questions": (form("Suggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next.",
                                 'JSON format: { "follow_ups": ["Question 1?", "Question 2?"] }'), {"follow_ups": []}),
    "a list without a name": (form("Suggest 3-5 relevant follow-up questions, based on the chat history.",
                                   "A JSON array of strings."), []),
    "search queries": (form("Analyze the chat history to determine the necessity of generating search queries.",
                            'Strictly return in JSON format: \n{\n  "queries": ["query1"]\n}'), {"queries": []}),
    "the prompt for an image": (form("Generate a detailed prompt for an image based on the context.",
                                     'JSON format:\n{\n  "prompt": "Your description here."\n}'), {"prompt": ""}),
    "autocompletion": (user("### Task:\nYou are an autocompletion system. Continue the text in `<text>`.\n"
                            'If unsure, return: `{ "text": "" }`. Respond only in JSON.\n### Context:\n'
                            f"{HISTORY}\n<type>General</type>\n<text>when does</text>\n#### Output:\n"), {"text": ""}),
    "a tool, chosen by a prompt": (system('Available Tools: [{"name": "clock"}]\n\nReturn "tool_calls": [] if none matches.',
                                          f"Query: {QUESTION}"), {"tool_calls": []}),
}  # fmt: skip


@pytest.mark.parametrize(("messages", "expected"), FORMS.values(), ids=FORMS)
def test_the_reply_has_the_json_that_the_request_shows(messages: list[Any], expected: Any) -> None:
    assert json.loads(reply(messages) or "") == expected


def test_the_reply_fills_the_json_schema_that_the_client_sends() -> None:
    properties = {"title": {"type": "string"}, "language": {"type": "string"}, "chips": {"type": "array"}}
    schema = {"type": "json_schema", "json_schema": {"name": "t", "schema": {"properties": properties}}}
    said = reply(TITLES["LibreChat"], response_format=schema)
    assert json.loads(said or "") == {"title": TITLE, "language": "", "chips": []}


def test_a_facial_expression_is_an_emoji() -> None:
    task = "Your task is to reflect the speaker's likely facial expression through a fitting emoji.\n\nMessage: ```Hello```"
    assert reply(user(task)) == "🙂"


PEOPLE = [
    "What is the title of the report on the harbour?",
    "Create a concise, 3-5 word title for the harbour rules.",
    "Generate 1-3 broad tags for the annual report as JSON.",
    "Which 3-5 word title does the conversation guide suggest?",
    "Suggest 3-5 relevant follow-up questions about the warranty.",
    "Where is the chat history stored?",
    "Write a short title for the conversation guide.",
    "Give the title of the conversation published in 1998.",
    "What tags does the chat use? Return only the names.",
    "Who generates the title of a conversation, and in how many words?",
    "How do I generate a title for a conversation in 3-5 words?",
    "Here is the query: who leads the office?\n\nAnswer it from the documents only.",
    f"### Task:\nRespond to the user query using the context.\n<context>\nx\n</context>\n<query>\n{QUESTION}\n</query>",
    f"Explain what the tag <chat_history> in this text is for: {HISTORY}",
    f"{'The harbour opens at six. ' * 20}Generate a title for the conversation in 3-5 words, it says. Who said so?",
]


@pytest.mark.parametrize("question", PEOPLE)
def test_a_persons_question_about_titles_or_tags_is_no_task(question: str) -> None:
    assert reply(user(question)) is None
    assert reply(user("Create a title.", question)) is None
    purpose = "You are a helpful assistant of the harbour. Answer from the documents, and only briefly."
    assert reply(system(purpose, question)) is None


def test_no_task_is_searched_for_or_cited_whole_or_streamed(serve_scripted: Any) -> None:
    answerer = ScriptedAnswerer()
    requests = [*TITLES.values(), *(messages for messages, _ in FORMS.values())]
    with serve_scripted(answerer) as served, httpx.Client(base_url=served) as client:
        for messages in requests:
            body = {"model": "quoth", "messages": messages, "stream_options": {"include_usage": True}}
            whole = client.post("/v1/chat/completions", json=body).raise_for_status().json()
            *chunks, end, rest = client.post("/v1/chat/completions", json={**body, "stream": True}).text.split("\n\n")
            assert (end, rest) == ("data: [DONE]", "")
            events = [json.loads(chunk.removeprefix("data: ")) for chunk in chunks]
            streamed = "".join(choice["delta"].get("content", "") for event in events for choice in event["choices"])
            said = whole["choices"][0]["message"]["content"]
            assert streamed == said == reply(messages)
            assert "[1]" not in said
            assert whole["quoth"] is None
            assert events[-1]["usage"] == whole["usage"]
    assert answerer.questions == []


@pytest.mark.parametrize(
    "piece", ["<chat_history>", "</chat_history>", "USER: ", " ", "\n\n", "Generate a title ", "words or "]
)
def test_a_long_request_is_read_in_linear_time(piece: str) -> None:
    assert_linear(reply, lambda size: user(f"Here is the chat:\n{piece * (size // len(piece))}"), 10_000)
