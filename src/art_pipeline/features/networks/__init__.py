"""Networks of ``keras.applications``, one architecture per file: what is common to frozen and to trained ones."""
