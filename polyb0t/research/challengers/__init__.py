"""Other ways of fitting, behind the same judgement and the same gate as the calibration."""
