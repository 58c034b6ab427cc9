"""Event times from columns: how they are written, read as declared, looked through before anything is stored."""
