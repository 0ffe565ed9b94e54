"""Markets that are over: what their prices were and how they ended, from several kinds of files."""
