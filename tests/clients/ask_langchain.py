"""Ask through LangChain: whole, streamed, with tools and their results in the history, in JSON, and what goes wrong."""

import json
import os

import openai
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

OPTIONS = {"max_retries": 0, "temperature": 0.3, "max_tokens": 9, "stream_usage": True}


def model(name: str = "quoth") -> ChatOpenAI:
    return ChatOpenAI(model=name, base_url=os.environ["BASE"], api_key="none", **OPTIONS)


@tool
def clock() -> str:
    """The time."""
    return "12:00"


question = os.environ["QUESTION"]
call = {"id": "c1", "name": "clock", "args": {}}
messages = [
    SystemMessage("Be brief."),
    HumanMessage("What time is it?"),
    AIMessage("", tool_calls=[call]),
    ToolMessage("12:00", tool_call_id="c1"),
    AIMessage("It is noon."),
    SystemMessage("Be brief, still."),
    HumanMessage([{"type": "text", "text": question}, PICTURE], name="ann"),
]
chunks = list(model().stream(messages))
try:
    model("papers").invoke(messages)
except openai.NotFoundError as error:
    failed = [error.status_code, str(error.code), error.message]
try:
    model().bind_tools([clock], tool_choice="any").invoke(messages)
except openai.UnprocessableEntityError as error:
    forced = [error.status_code, str(error.code), error.message]
said = {
    "whole": model().invoke(messages).content,
    "stream": "".join(chunk.content for chunk in chunks),
    "usage": next(chunk.usage_metadata for chunk in chunks if chunk.usage_metadata),
    "tools": model().bind_tools([clock]).invoke(messages).content,
    "json": json.loads(model().bind(response_format={"type": "json_object"}).invoke(messages).content),
    "failed": failed,
    "forced": forced,
}
print(json.dumps(said))
