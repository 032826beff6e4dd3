"""The prompts: everything that is sent to a language model, as text files. service/prompts.py loads them."""
