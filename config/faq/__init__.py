"""What the product ships for tax questions: the starter base, words, and the filing calendar.

entries.py       the sheet of the knowledge base, CSV or Excel, and faq.csv
vocabulary.py    words.toml: synonyms, dialect, tax terms, entities, polite phrases
filing.py        filing.toml: the published deadlines with their source
"""
