"""What every door shares: the service as one caller may use it, answers run and streamed, and admission control.

Read in this order: admission, session, run, stream.
"""
