"""The book: sixty short programs in five stages, each for both engines, and the recorder that runs them."""

STAGES = {
    "stage_1": "Derivatives that nobody works out",
    "stage_2": "Code that reads like mathematics",
    "stage_3": "Slopes of slopes",
    "stage_4": "Networks that learn",
    "stage_5": "Images, sequences, files",
}
"""The stages by name, with their titles."""
