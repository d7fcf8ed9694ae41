"""The class sheet as a workbook with live formulas and cached values."""
