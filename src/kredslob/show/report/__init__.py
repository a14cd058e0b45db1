"""Reports: from saved runs to Word, PowerPoint, HTML and PDF, in Danish and English."""

from kredslob.show.report.writing import FORMATS, KINDS, newest_run, write_report

__all__ = ["FORMATS", "KINDS", "newest_run", "write_report"]
