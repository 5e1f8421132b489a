/** Sizes of a chart to choose from. The stylesheet applies the choice, so it works without a script. */
export function Zoom() {
  return (
    <fieldset class="chart-zoom">
      <legend>Size</legend>
      <ZoomLevel id="zoom-fit" label="Fit" isChecked />
      <ZoomLevel id="zoom-actual" label="100 %" />
      <ZoomLevel id="zoom-large" label="150 %" />
    </fieldset>
  );
}

function ZoomLevel({ id, label, isChecked }: { id: string; label: string; isChecked?: boolean }) {
  return (
    <label for={id}>
      <input type="radio" name="zoom" id={id} checked={isChecked} autocomplete="off" /> {label}
    </label>
  );
}
