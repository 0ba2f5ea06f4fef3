"""Stories: synthetic patients, what is asked for their sake, and whether the answers are right."""
