// Ask through Vercel's `ai`: whole, streamed, with a tool's result and an image in the history, and an error.
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, streamText } from "ai";

const quoth = createOpenAICompatible({ name: "quoth", baseURL: process.env.BASE, apiKey: "none", includeUsage: true });
const messages = [
  { role: "user", content: "What time is it?" },
  { role: "assistant", content: [{ type: "tool-call", toolCallId: "c1", toolName: "clock", input: {} }] },
  {
    role: "tool",
    content: [{ type: "tool-result", toolCallId: "c1", toolName: "clock", output: { type: "text", value: "12:00" } }],
  },
  { role: "assistant", content: "It is noon." },
  {
    role: "user",
    content: [
      { type: "text", text: process.env.QUESTION },
      { type: "image", image: "data:image/png;base64,AAAA", mediaType: "image/png" },
    ],
  },
];
const ask = { model: quoth("quoth"), system: "Be brief.", messages, maxRetries: 0, maxOutputTokens: 9 };
const whole = await generateText(ask);
const stream = streamText(ask);
let text = "";
for await (const piece of stream.textStream) text += piece;
const failed = await generateText({ ...ask, model: quoth("papers") }).catch((error) => error);
console.log(JSON.stringify({
  whole: whole.text, stream: text, usage: await stream.usage, reason: await stream.finishReason,
  failed: [failed.statusCode, failed.message],
}));
