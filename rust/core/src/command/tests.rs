//! What the commands plan, on hand-made evidence.
