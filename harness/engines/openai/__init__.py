"""Any endpoint that speaks OpenAI's wire format: a vLLM, SGLang, llama.cpp or Ollama server, or a
hosted model.
"""
