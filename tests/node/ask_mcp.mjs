// Ask through MCP's own SDK over HTTP: an answer, a follow-up in its conversation, and an error.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const client = new Client({ name: "tests", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(process.env.BASE)));
const ask = (given) => client.callTool({ name: "ask", arguments: given });
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const first = await ask({ question: process.env.QUESTION });
const second = await ask({ question: "And since when?", conversation_id: first.structuredContent.conversation_id });
const failed = await ask({ question: "Why?", collection: "papers" });
console.log(JSON.stringify({
  tools, text: first.content[0].text, answer: first.structuredContent, second: second.structuredContent,
  failed: [failed.isError, failed.content[0].text],
}));
await client.close();
