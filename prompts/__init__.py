"""Every word that is sent to a language model, as text files; service/prompts.py loads them."""
