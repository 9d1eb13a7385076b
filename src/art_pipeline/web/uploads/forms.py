"""Forms of uploads and predictions."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from art_pipeline.web.catalogue.models import TrainedModel, Vocabulary
from art_pipeline.web.uploads.images import NAMES, CheckedImage, check_image
from art_pipeline.web.uploads.texts import BETWEEN, clean_labels, clean_name

COMPLETIONS = 300  # labels that are offered for completion; any other can be typed
MEGABYTE = 1_000_000


class ImageField(forms.FileField):
    """An image file, checked and encoded again."""

    def clean(self, data: Any, initial: Any = None) -> CheckedImage:
        file: UploadedFile = super().clean(data, initial)
        limit = settings.MAX_UPLOAD_MEGABYTES
        if file.size > limit * MEGABYTE:
            raise ValidationError(f"The file has {filesizeformat(file.size)}. Choose one of at most {limit} MB.")
        return check_image(file.read())


class ImageForm(forms.Form):
    """An image and its name. The token makes a form that is sent twice one upload."""

    token = forms.UUIDField(widget=forms.HiddenInput, initial=uuid.uuid4)
    image = ImageField(
        label="Image",
        allow_empty_file=True,  # `check_image` says so
        max_length=None,
        error_messages={"required": "Choose an image."},
        help_text=f"{NAMES}; at most {settings.MAX_UPLOAD_MEGABYTES} MB.",
        widget=forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp,image/gif,image/tiff,image/avif"}),
    )

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, label_suffix="", **kwargs)
        self.add_fields()
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select" if isinstance(field.widget, forms.Select) else "form-control"

    def add_fields(self) -> None:
        """Add the fields that depend on the catalogue."""


class UploadForm(ImageForm):
    """An image, its title, and labels of each vocabulary that is given: the tasks, and the artists."""

    title = forms.CharField(label="Title", error_messages={"required": "Give a title."})

    def __init__(self, *args: Any, vocabularies: Iterable[Vocabulary], **kwargs: Any):
        self.vocabularies = {f"label-{one.name}": one for one in vocabularies}
        super().__init__(*args, **kwargs)

    def add_fields(self) -> None:
        """Add a field for each vocabulary."""
        self.fields |= {name: _label_field(one) for name, one in self.vocabularies.items()}

    def clean_title(self) -> str:
        """Return the title."""
        title = clean_name(self.cleaned_data["title"], "The title")
        if not title:
            raise ValidationError("The title has no visible character. Give another one.")
        return title

    def clean(self) -> dict[str, Any]:
        """Split and check the labels."""
        self.cleaned_data["labels"] = {}
        for name, one in self.vocabularies.items():
            try:
                labels = clean_labels(self.cleaned_data.get(name, ""), several=one.is_multilabel)
                self.cleaned_data["labels"][one] = labels
            except ValidationError as error:
                self.add_error(name, error)
        return self.cleaned_data

    def label_fields(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Return the field of each vocabulary, with the labels that complete it."""
        return [(self[name], completions(one)) for name, one in self.vocabularies.items()]


class PredictForm(ImageForm):
    """An image and a task, or one of its models."""

    model = forms.ChoiceField(
        label="Predict", error_messages={"invalid_choice": "There is no such model any more. Choose another one."}
    )

    def __init__(self, *args: Any, models: Sequence[tuple[Vocabulary, Sequence[TrainedModel]]], **kwargs: Any):
        self.models = {str(model.pk): model for _, several in models for model in several}
        self.choices = [
            (str(task), [(str(model.pk), _choice(task, model, several)) for model in several])
            for task, several in models
        ]
        super().__init__(*args, **kwargs)

    def add_fields(self) -> None:
        """Fill the list of models."""
        self.fields["model"].choices = self.choices

    def clean_model(self) -> TrainedModel:
        """Return the chosen model."""
        return self.models[self.cleaned_data["model"]]


def completions(vocabulary: Vocabulary) -> list[str]:
    """Return the labels that are offered, those of most artworks first."""
    return list(vocabulary.terms.order_by("-artworks_count", "name").values_list("name", flat=True)[:COMPLETIONS])


def _choice(task: Vocabulary, model: TrainedModel, several: Iterable[TrainedModel]) -> str:
    return f"{task}, by {model.name}" if model is not next(iter(several)) else f"{task}, by {model.name} (default)"


def _label_field(vocabulary: Vocabulary) -> forms.CharField:
    help_text = f"Separate several with {BETWEEN}" if vocabulary.is_multilabel else ""
    widget = forms.TextInput(attrs={"list": f"labels-{vocabulary.name}", "autocomplete": "off"})
    return forms.CharField(label=str(vocabulary), required=False, help_text=help_text, widget=widget)
