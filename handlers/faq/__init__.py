"""Tax questions: one right answer, three to choose from, or a person.

Reading order: `knowledge` (what may be said), `normalise` and `tags` (what was asked), `index` and `meaning` (what is
near), `ranking` (in which order), `bands` (answer, choose, hand over, keep silent), `assistant` (all of it at once).
"""
