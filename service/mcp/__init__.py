"""The door for assistants: the documents as tools, over the Model Context Protocol."""
