"""Ask through LlamaIndex's client for servers like OpenAI's: whole, streamed, with a tool's result, and an error."""

import json
import os

import openai
from llama_index.core.llms import ChatMessage, ImageBlock, MessageRole, TextBlock
from llama_index.llms.openai_like import OpenAILike


def model(name: str = "quoth") -> OpenAILike:
    return OpenAILike(model=name, api_base=os.environ["BASE"], api_key="none", is_chat_model=True, max_retries=0)


question = os.environ["QUESTION"]
call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
messages = [
    ChatMessage("Be brief.", role=MessageRole.SYSTEM),
    ChatMessage("What time is it?", role=MessageRole.USER),
    ChatMessage(None, role=MessageRole.ASSISTANT, tool_calls=[call]),
    ChatMessage("12:00", role=MessageRole.TOOL, tool_call_id="c1"),
    ChatMessage("It is noon.", role=MessageRole.ASSISTANT),
    ChatMessage(blocks=[TextBlock(text=question), ImageBlock(url="data:image/png;base64,AAAA")], role=MessageRole.USER),
]
try:
    model("papers").chat(messages)
except openai.NotFoundError as error:
    failed = [error.status_code, str(error.code), error.message]
said = {
    "whole": model().chat(messages).message.content,
    "stream": "".join(piece.delta or "" for piece in model().stream_chat(messages)),
    "complete": model().complete(question).text,
    "failed": failed,
}
print(json.dumps(said))
