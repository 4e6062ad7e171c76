"""Mail: claimed, written, handed to a mail server or a folder, noted."""
