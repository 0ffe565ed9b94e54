"""Has a model beaten the market price on markets that it had not seen, and where may it speak?"""
