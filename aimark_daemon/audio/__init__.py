"""Sound as files and samples: WAV, resampling, voice activity. Numeric libraries are imported when first needed."""
