"""Files of several pages: PDF, TIFF, animations; and photographs of telephones."""
