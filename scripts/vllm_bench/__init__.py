"""What bench_vllm.py is made of."""
