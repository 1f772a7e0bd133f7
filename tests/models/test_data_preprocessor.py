import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample

from mmcloudseg.datasets import LoadRasters, M3MCRDataset, PackCloudSegInputs

OPTICAL = dict(low=[0.0] * 4, high=[10000.0] * 4)
SAR = dict(low=[-25.0, -32.5], high=[0.0, 0.0])


def build(**kwargs):
    settings = dict(optical=OPTICAL, sar=SAR)
    return MODELS.build(dict(type="CloudSegDataPreprocessor", **{**settings, **kwargs}))


def raw(height, width, seed=0):
    generator = torch.Generator().manual_seed(seed)
    optical = torch.rand(4, height, width, generator=generator) * 14000 - 500
    return torch.cat([optical, torch.randn(2, height, width, generator=generator) * 15 - 15])


def sample(height, width, scale=0.3, cloud_free=True):
    label = torch.randint(0, 6, (1, round(height * scale), round(width * scale)))
    data_sample = SegDataSample(
        gt_sem_seg=PixelData(data=label),
        metainfo=dict(ori_shape=tuple(label.shape[-2:]), img_shape=(height, width)),
    )
    data_sample.gt_cloud_mask = PixelData(
        data=torch.randint(0, 2, (1, height, width), dtype=torch.uint8)
    )
    if cloud_free:
        data_sample.gt_cloud_free = PixelData(data=torch.rand(4, height, width) * 12000)
    return data_sample


def test_numbers_by_hand():
    x = torch.tensor([-5.0, 2500.0, 10000.0, 20000.0, -12.5, -40.0]).view(6, 1, 1)
    assert build().normalize(x).flatten().tolist() == [0, 0.25, 1, 1, 0.5, 0]
    x[4:] = torch.tensor([3.0, -16.25]).view(2, 1, 1)
    assert build().normalize(x)[4:].flatten().tolist() == [1, 0.5]


def test_lower_limits_count_for_optical_bands_too():
    preprocessor = build(optical=dict(low=[100.0], high=[300.0]), sar=None)
    x = torch.tensor([[50.0, 150.0, 400.0]]).view(1, 1, 3)
    assert preprocessor.normalize(x).flatten().tolist() == [0, 0.25, 1]
    assert (preprocessor.normalize_optical(x) == preprocessor.normalize(x)).all()


def test_batch_and_single_image_agree():
    images = torch.stack([raw(8, 8, 0), raw(8, 8, 1)])
    preprocessor = build()
    single = torch.stack([preprocessor.normalize(image) for image in images])
    assert torch.equal(preprocessor.normalize(images), single)
    assert single.dtype == torch.float32
    double = preprocessor.normalize(images.double())
    assert double.dtype == torch.float64 and torch.allclose(double.float(), single)
    assert torch.equal(
        preprocessor.normalize(images.to(torch.int16)), preprocessor.normalize(images.trunc())
    )


@pytest.mark.parametrize("split", ["train", "test"])
def test_published_samples_to_the_bit(shared, split):
    golden = np.load(shared / "parity" / "real" / "preprocess.npz", allow_pickle=False)
    dataset = M3MCRDataset(
        f"{split}.csv",
        str(shared / "m3mcr_sample"),
        dict(img_path=split),
        pipeline=[LoadRasters(), PackCloudSegInputs()],
    )
    packed = dataset[0]
    data = dict(inputs=[packed["inputs"]], data_samples=[packed["data_samples"]])
    batch = build()(data, training=True)
    out = batch["data_samples"][0]
    for ours, theirs in (
        (batch["inputs"][0, :4], "cloudy"),
        (batch["inputs"][0, 4:], "sar"),
        (out.gt_cloud_free.data, "cloudfree"),
        (out.gt_cloud_mask.data[0], "cloudmask"),
        (out.gt_sem_seg.data[0], "landcover"),
    ):
        assert np.array_equal(ours.numpy(), golden[f"{split}_{theirs}"]), theirs
    assert batch["inputs"].dtype == torch.float32


def test_list_and_stack_and_no_samples():
    images = [raw(10, 20, seed) for seed in range(3)]
    preprocessor = build()
    listed = preprocessor(dict(inputs=images, data_samples=None))
    stacked = preprocessor(dict(inputs=torch.stack(images)))
    assert listed["inputs"].shape == (3, 6, 10, 20)
    assert torch.equal(listed["inputs"], stacked["inputs"])
    assert listed["data_samples"] is None and stacked["data_samples"] is None
    assert torch.equal(listed["inputs"], preprocessor.normalize(torch.stack(images)))


def test_training_pads_every_field_alike():
    samples = [sample(20, 30), sample(40, 10)]
    batch = build(size_divisor=20, pad_val=0.5)(
        dict(inputs=[raw(20, 30), raw(40, 10)], data_samples=samples), training=True
    )
    assert batch["inputs"].shape == (2, 6, 40, 40)
    for index, (height, width) in enumerate([(20, 30), (40, 10)]):
        out, before = batch["data_samples"][index], samples[index]
        inputs = batch["inputs"][index]
        assert torch.equal(inputs[:, :height, :width], build().normalize(raw(height, width)))
        assert (inputs[:, height:] == 0.5).all() and (inputs[:, :, width:] == 0.5).all()

        label, small = out.gt_sem_seg.data, (round(height * 0.3), round(width * 0.3))
        assert label.shape == (1, 12, 12)
        assert torch.equal(label[:, : small[0], : small[1]], before.gt_sem_seg.data)
        assert (label[:, small[0] :] == 255).all() and (label[:, :, small[1] :] == 255).all()

        mask = out.gt_cloud_mask.data
        assert mask.shape == (1, 40, 40) and mask.dtype == torch.uint8
        assert torch.equal(mask[:, :height, :width], before.gt_cloud_mask.data)
        assert (mask[:, height:] == 255).all() and (mask[:, :, width:] == 255).all()

        target = out.gt_cloud_free.data
        expected = build().normalize_optical(before.gt_cloud_free.data)
        assert torch.equal(target[:, :height, :width], expected)
        assert (target[:, height:] == 0.5).all() and target.shape == (4, 40, 40)

        assert out.img_shape == (height, width) and out.pad_shape == (40, 40)
        assert out.padding_size == out.img_padding_size == (0, 40 - width, 0, 40 - height)
        assert not isinstance(out.img_shape, torch.Size)


def test_testing_pads_inputs_only():
    before = sample(30, 40)
    batch = build(size_divisor=32)(dict(inputs=[raw(30, 40)], data_samples=[before]))
    out = batch["data_samples"][0]
    assert batch["inputs"].shape == (1, 6, 32, 64)
    assert torch.equal(out.gt_sem_seg.data, before.gt_sem_seg.data)
    assert torch.equal(out.gt_cloud_mask.data, before.gt_cloud_mask.data)
    assert out.gt_cloud_free.data.shape == (4, 30, 40)
    assert out.gt_cloud_free.data.max() <= 1
    assert out.img_padding_size == (0, 24, 0, 2)


def test_mmseg_takes_the_padding_off_again():
    model = MODELS.build(
        dict(
            type="EncoderDecoder",
            backbone=dict(type="ResNetV1c", depth=18, in_channels=6),
            decode_head=dict(type="FCNHead", in_channels=512, channels=8, num_classes=6),
            test_cfg=dict(mode="whole"),
        )
    )
    batch = build(size_divisor=32)(dict(inputs=[raw(30, 40)], data_samples=[sample(30, 40)]))
    logits = torch.randn(1, 6, 32, 64)
    result = model.postprocess_result(logits, batch["data_samples"])[0]
    expected = resize(logits[:, :, :30, :40], size=(9, 12), mode="bilinear", align_corners=False)
    assert torch.equal(result.seg_logits.data, expected[0])
    assert result.pred_sem_seg.shape == result.gt_sem_seg.shape


def test_a_batch_is_not_changed_in_place():
    images, samples = [raw(20, 20)], [sample(20, 20)]
    copies = images[0].clone(), samples[0].gt_cloud_free.data.clone()
    preprocessor = build(size_divisor=40)
    first = preprocessor(dict(inputs=images, data_samples=samples), training=True)
    second = preprocessor(dict(inputs=images, data_samples=samples), training=True)
    assert torch.equal(images[0], copies[0])
    assert torch.equal(samples[0].gt_cloud_free.data, copies[1])
    assert samples[0].img_shape == (20, 20) and "pad_shape" not in samples[0]
    ours, again = first["data_samples"][0], second["data_samples"][0]
    assert torch.equal(ours.gt_cloud_free.data, again.gt_cloud_free.data)


def test_label_that_cannot_be_padded():
    data = dict(inputs=[raw(20, 20)], data_samples=[sample(20, 20)])
    with pytest.raises(ValueError, match=r"20 x 20 with a label of 6 x 6.*32 x 32.*size_divisor"):
        build(size_divisor=32)(data, training=True)


def test_only_one_modality():
    x = raw(4, 4)
    whole = build().normalize(x)
    assert torch.equal(build(sar=None).normalize(x[:4]), whole[:4])
    assert torch.equal(build(optical=None).normalize(x[4:]), whole[4:])
    batch = build(optical=None)(
        dict(inputs=[x[4:]], data_samples=[sample(4, 4, 1.0, cloud_free=False)]), training=True
    )
    assert batch["inputs"].shape == (1, 2, 4, 4)


def test_wrong_number_of_bands():
    with pytest.raises(
        ValueError, match=r"inputs: 5 bands, but .*4 optical and 2 SAR.*low and high"
    ):
        build()(dict(inputs=[raw(4, 4)[:5]]))
    data = dict(inputs=[raw(10, 10)[:4]], data_samples=[sample(10, 10)])
    data["data_samples"][0].gt_cloud_free = PixelData(data=torch.zeros(3, 10, 10))
    with pytest.raises(
        ValueError, match=r"cloud-free image: 3 bands.*data_preprocessor .*4 optical.*low and high"
    ):
        build(sar=None)(data)


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        (dict(optical=None, sar=None), r"data_preprocessor.*set optical=.*sar="),
        (dict(sar=dict(low=[0.0], high=[1.0, 2.0])), r"preprocessor\.sar: low and high.*\[0\.0\]"),
        (dict(sar=dict(low=[], high=[])), r"data_preprocessor.sar: low and high.*found"),
        (dict(sar=dict(low=[1.0], high=[1.0])), r"preprocessor\.sar: .*below its high.*\[1\.0\]"),
    ],
)
def test_config_errors(kwargs, match):
    with pytest.raises(ValueError, match=match):
        build(**kwargs)


def test_ranges_are_not_in_checkpoints_but_move_with_the_model():
    preprocessor = build()
    assert preprocessor.state_dict() == {}
    meta = preprocessor.to("meta")
    assert {buffer.device.type for buffer in meta.buffers()} == {"meta"}
    out = meta(dict(inputs=[raw(4, 4)]))
    assert out["inputs"].device.type == "meta"


@pytest.mark.parametrize("value", [0.0, 0.5, -1.0])
@pytest.mark.parametrize("bands", [slice(0, 4), slice(4, 6)])
def test_a_missing_modality_becomes_a_value(bands, value):
    image, other = raw(20, 20), raw(20, 20, 1)
    whole = build().normalize(image)
    image[bands] = float("nan")
    preprocessor = build(missing_val=value, size_divisor=32, pad_val=0.25)
    batch = preprocessor(dict(inputs=[image, other], data_samples=None))["inputs"]
    expected = whole.clone()
    expected[bands] = value
    assert torch.equal(batch[0, :, :20, :20], expected)
    assert torch.equal(batch[1, :, :20, :20], build().normalize(other))
    assert (batch[:, :, 20:] == 0.25).all()
    assert torch.equal(preprocessor.normalize(image), expected)
    assert image[bands].isnan().all()  # not changed in place


def test_a_missing_optical_image_leaves_its_cloud_free_target():
    image, before = raw(20, 20), sample(20, 20)
    image[:4] = float("nan")
    batch = build()(dict(inputs=[image], data_samples=[before]), training=True)
    target = batch["data_samples"][0].gt_cloud_free.data
    assert torch.equal(target, build().normalize_optical(before.gt_cloud_free.data))
    assert target.min() >= 0 and target.max() > 0.5


def test_nan_in_the_target_is_not_covered_up():
    before = sample(10, 10)
    before.gt_cloud_free.data[0, 0, 0] = float("nan")
    batch = build(missing_val=0.0)(dict(inputs=[raw(10, 10)], data_samples=[before]))
    assert batch["data_samples"][0].gt_cloud_free.data.isnan().sum() == 1


def test_infinity_is_clipped_and_not_missing():
    x = torch.tensor([float("inf"), float("-inf"), float("nan"), 0.0, 0.0, 0.0]).view(6, 1, 1)
    assert build(missing_val=0.5).normalize(x)[:3].flatten().tolist() == [1, 0, 0.5]


def test_no_nan_of_the_cloud_free_image_reaches_a_loss():
    image, data_sample = raw(8, 8), sample(8, 8)
    image[:, :3] = float("nan")
    data_sample.gt_cloud_free.data[:, :3] = float("nan")
    data_sample.gt_cloud_free.data[2, 7, 7] = float("nan")
    before = data_sample.gt_cloud_mask.data.clone()
    clean = build(missing_val=0.5)(dict(inputs=[raw(8, 8)], data_samples=[sample(8, 8)]), True)

    made = build(missing_val=0.5)(dict(inputs=[image], data_samples=[data_sample]), training=True)
    target, mask = (
        made["data_samples"][0].get(f).data for f in ("gt_cloud_free", "gt_cloud_mask")
    )
    assert (made["inputs"][:, :, :3] == 0.5).all() and (target[:, :3] == 0.5).all()
    assert torch.equal(made["inputs"][:, :, 3:], clean["inputs"][:, :, 3:])
    ignored = torch.zeros(1, 8, 8, dtype=torch.bool)
    ignored[:, :3], ignored[:, 7, 7] = True, True
    assert torch.equal(mask == 255, ignored)
    assert torch.equal(mask[~ignored], before[~ignored])

    pred = torch.rand(1, 4, 8, 8, requires_grad=True)
    loss = MODELS.build(dict(type="CloudRemovalLoss"))(pred, target[None], mask[None])
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(pred.grad).all()
    assert (pred.grad[0, :, :3] == 0).all() and (pred.grad[0, :, 3:7] != 0).all()


def test_the_picture_that_get_flops_makes_up():
    image, size = torch.rand(3, 8, 8), (8, 8)
    made_up = SegDataSample(metainfo=dict(ori_shape=size, pad_shape=size))
    with pytest.warns(UserWarning, match=r"3 bands.* 6 bands of the model"):
        made = build()(dict(inputs=[image], data_samples=[made_up]))["inputs"]
    assert torch.equal(made[0], build().normalize(torch.cat([image, image])))
    with pytest.raises(ValueError, match=r"3 bands.*4 optical and 2 SAR"):
        build()(dict(inputs=[image], data_samples=[SegDataSample()]))
