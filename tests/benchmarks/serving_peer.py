"""The server of many tutorials: FastAPI, the Keras model, and a plain resize by Pillow.

Usage: python serving_peer.py MODEL PORT METHOD

METHOD is `predict`, which the tutorials call, or `predict_on_batch`, the quickest way
that Keras has. Requests are answered one by one: two processes of uvicorn answered no
more of them on two cores, which XLA uses for one request.

It runs in an environment of its own, without this package. A request has the picture as
its body, as for `POST /read` of `bin/serve`.
"""

import functools
import io
import os
import sys
from collections.abc import Callable

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
import numpy as np
import uvicorn
from fastapi import FastAPI, Request
from PIL import Image

app = FastAPI()
model = keras.models.load_model(sys.argv[1])
predict: Callable[[np.ndarray], np.ndarray] = (
    functools.partial(model.predict, verbose=0)
    if sys.argv[3] == "predict"
    else model.predict_on_batch
)


@app.post("/read")
async def read(request: Request) -> dict[str, object]:
    """Answers with the digit and its probability."""
    body = await request.body()
    image = Image.open(io.BytesIO(body)).convert("L").resize((28, 28))
    pixels = np.asarray(image, np.float32).reshape(1, 28, 28, 1) / 255
    probabilities = np.asarray(predict(pixels))[0]
    digit = int(probabilities.argmax())
    return {"prediction": digit, "confidence": float(probabilities[digit])}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="error")
