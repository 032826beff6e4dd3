"""Office files: documents, sheets and slides of Microsoft Office and OpenDocument, and RTF.

Read in this order: office_zip, office_package, stretches, docx, xlsx, sheet, pptx, open_document, rtf; the files named after
a format serve it.
"""
