"""Dialogues: each test is a chat log, what was said and what the bot answered, played through bot.rehearse."""
