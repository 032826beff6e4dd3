"""E-mails, of RFC 5322 and of Outlook.

Read in this order: mail, mail_text, quotations, invites, compound_file, outlook.
"""
