"""The engine on vLLM, in process. vllm itself is imported only when an engine is opened: see
`engine.open_llm`.
"""
