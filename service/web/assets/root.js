// The path under which this server is reached: "" or, behind a proxy that serves it under a path, such as "/quoth".
// The scripts lie in its folder assets/.

export const ROOT = new URL("..", import.meta.url).pathname.replace(/\/$/, "");
