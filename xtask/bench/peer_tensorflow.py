"""TensorFlow and Keras, which the paper used, as a contestant; every work is one `tf.function`."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from protocol import serve
from vgg16 import THREADS, ages, convolutions, images


def stack(first_block=1, last_block=5):
    layers = []
    for block, weight, bias, last in convolutions():
        if not first_block <= block <= last_block:
            continue
        layer = keras.layers.Conv2D(weight.shape[0], 3, padding="same", activation="relu")
        layer.build((None, None, None, weight.shape[1]))
        layer.set_weights([weight.transpose(2, 3, 1, 0), bias])
        layers += [layer] + ([keras.layers.MaxPooling2D()] if last else [])
    return keras.Sequential(layers)


def channels_last(batch, side):
    return tf.constant(images(batch, side).transpose(0, 2, 3, 1))


def forward(batch, side):
    network, x = stack(), channels_last(batch, side)
    function = tf.function(lambda x: network(x, training=False))

    def run():
        return function(x).numpy()

    return run, run


def train(trainable, batch, side):
    """Mean over the feature map, one linear layer, mean squared error, Adam; see `training.rs`."""
    first = 5 if trainable == "block5" else 1
    frozen = stack(last_block=first - 1) if first > 1 else None
    network = stack(first_block=first)
    last = keras.layers.Dense(1, kernel_initializer=keras.initializers.Constant(1 / 512))
    last.build((None, 512))
    variables = network.trainable_variables + last.trainable_variables
    adam = keras.optimizers.Adam(1e-6, epsilon=1e-7)
    adam.build(variables)
    x, target = channels_last(batch, side), tf.constant(ages(batch))
    losses = []

    @tf.function
    def step(x, target):
        features = frozen(x, training=False) if frozen is not None else x
        with tf.GradientTape() as tape:
            value = last(tf.reduce_mean(network(features, training=True), (1, 2)))[:, 0]
            loss = tf.reduce_mean(tf.square(value - target))
        adam.apply(tape.gradient(loss, variables), variables)
        return loss

    def run():
        losses.append(float(step(x, target)))

    def result():
        while len(losses) < 4:
            run()
        return np.array(losses[:4])

    return run, result


def attention_head():
    """The paper's attention network with a 1x1 convolution in the place of the locally connected layer."""
    layers = keras.layers
    features = keras.Input((15, 15, 512))
    normal = layers.BatchNormalization()(features)
    attention = normal
    for units, activation in ((64, "relu"), (16, "relu"), (1, "sigmoid")):
        attention = layers.Conv2D(units, 1, activation=activation)(attention)
    looked_at = layers.GlobalAveragePooling2D()(layers.Multiply()([normal, attention]))
    pooled = looked_at / layers.GlobalAveragePooling2D()(attention)
    hidden = layers.Dense(1024, activation="elu")(layers.Dropout(0.5)(pooled))
    return keras.Model(features, layers.Dense(1)(layers.Dropout(0.25)(hidden)))


def head(batch):
    keras.utils.set_random_seed(1)
    features = tf.nn.relu(tf.random.normal((batch, 15, 15, 512)))
    target = tf.random.normal((batch,))
    network = attention_head()
    adam = keras.optimizers.Adam(1e-3, epsilon=1e-7)
    adam.build(network.trainable_variables)
    last = []

    @tf.function
    def step(features, target):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(network(features, training=True)[:, 0] - target))
        adam.apply(tape.gradient(loss, network.trainable_variables), network.trainable_variables)
        return loss

    def run():
        last[:] = [float(step(features, target))]

    return run, lambda: np.array(last)


def main():
    tf.config.threading.set_intra_op_parallelism_threads(THREADS)
    tf.config.threading.set_inter_op_parallelism_threads(1)

    def prepare(words):
        match words:
            case ["forward", batch, side]:
                return forward(int(batch), int(side))
            case ["train", trainable, batch, side]:
                return train(trainable, int(batch), int(side))
            case ["head", batch]:
                return head(int(batch))
        raise ValueError(f"{' '.join(words)} is not done here")

    serve(f"TensorFlow {tf.__version__}, Keras {keras.__version__}", prepare)


if __name__ == "__main__":
    main()
